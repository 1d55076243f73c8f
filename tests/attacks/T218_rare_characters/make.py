"""Four thousand characters of four bytes each."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import LANGUAGES, put, said


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        put(subjects, f"{language}_rare", said(language, "\U0002a6d6" * 4000))
    put(subjects, "zh_common", said("zh", "好" * 4000))
