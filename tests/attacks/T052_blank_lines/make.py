"""Blank lines, lines of blanks, an empty file."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    good = made.submission()["zh/task2.jsonl"]
    with_file(subjects, "between", "zh/task2.jsonl", good.replace(b"\n", b"\n\n"))
    with_file(subjects, "blanks", "zh/task2.jsonl", good + b"   \t\n")
    with_file(subjects, "no-break-space", "zh/task2.jsonl", good + "\u00a0\n".encode())
    with_file(subjects, "empty", "zh/task2.jsonl", b"")
