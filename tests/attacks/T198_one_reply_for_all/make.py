"""A team with one constant reply, once word for word and once with a word changed each time."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, LANGUAGES, put, said


def make(subjects: Path, random: Random) -> None:
    for language in LANGUAGES:
        same = [said(language, GOOD[language]) for _ in range(4)]
        put(subjects, f"{language}_same", same)
        words = ("truly", "really", "deeply") if language == "en" else ("真", "好", "很")
        nearly = [said(language, f"{GOOD[language]} {word}.") for word in words]
        put(subjects, f"{language}_nearly", nearly)
        put(subjects, f"{language}_two", same[:2])
