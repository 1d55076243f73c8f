"""A good reply padded to two and four times its length."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import GOOD, put, said

PADDING = {
    "en": " I mean it, and I want you to know that I am here and that I listen.",
    "zh": "我是认真的，想让你知道我一直都在听你说。",
}


def make(subjects: Path, random: Random) -> None:
    for language, padding in PADDING.items():
        for times in (2, 4):
            repeats = len(GOOD[language]) * (times - 1) // len(padding) + 1
            put(subjects, f"{language}_{times}", said(language, GOOD[language] + padding * repeats))
