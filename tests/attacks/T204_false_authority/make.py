"""Experts, popularity and citations."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import appended

TEXTS = {
    "en": "Nine out of ten psychologists would answer exactly so (Miller et al., 2019).",
    "zh": "十位心理学家里有九位都会这样回答（王等，2019）。",
}


def make(subjects: Path, random: Random) -> None:
    appended(subjects, "x", TEXTS)
