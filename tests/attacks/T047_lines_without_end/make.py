"""A million lines of two bytes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    with_file(subjects, "objects", "zh/task2.jsonl", b"{}\n" * 1_000_000)
    with_file(subjects, "blank", "zh/task2.jsonl", b"\n" * 1_000_000)
