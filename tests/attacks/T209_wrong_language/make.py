"""Whole replies in the other language, in a third one, and a few words mixed in."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, put, said

OTHER = {"en": "zh", "zh": "en"}


def make(subjects: Path, random: Random) -> None:
    for language, other in OTHER.items():
        for task in ("task2", "task3"):
            put(subjects, f"{language}_{task}_other", said(language, GOOD[other], task))
            put(subjects, f"{language}_{task}_third", said(language, "Это было очень больно, мне жаль.", task))
    put(subjects, "zh_mixed", said("zh", GOOD["zh"] + " take care", "task2"))
    put(subjects, "en_mixed", said("en", GOOD["en"] + " 加油", "task2"))
