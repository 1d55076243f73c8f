"""A hundred audio placeholders fill a reply; five thousand are too long."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        put(subjects, f"{language}_many", said(language, GOOD[language] * 15 + "<|audio_pad|>" * 100))
        put(subjects, f"{language}_whole", said(language, GOOD[language] + "<|audio_start|><|audio_pad|><|audio_end|>"))
        put(subjects, f"{language}_5000", said(language, "<|audio_pad|>" * 5000))
