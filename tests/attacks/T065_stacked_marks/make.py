"""Combining marks heaped on one letter."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import texts


def make(subjects: Path, random: Random) -> None:
    texts(
        subjects, {"heap": "你今天很辛苦a" + "\u0301" * 1_000, "nine": "你今天很辛苦q" + "\u0323\u0308" * 4 + "\u0323"}
    )
    texts(subjects, {"ok-eight": "你今天很辛苦q" + "\u0323\u0308" * 4, "ok-vietnamese": "你今天很辛苦Tiếng Việt"})
