"""A good reply 160 times, and twice."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        put(subjects, f"{language}_160", said(language, f"{GOOD[language]} " * 160))
        put(subjects, f"{language}_twice", said(language, f"{GOOD[language]} {GOOD[language]}"))
