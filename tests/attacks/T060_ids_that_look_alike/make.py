"""Ids that look like the right one: Cyrillic letters, another case, blanks, full width, a zero-width space."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    right = made.ids("task2", "zh")[0]
    alike = [
        right.replace("a", "\u0430"),
        right.upper(),
        right + " ",
        " " + right,
        right.replace("_", "＿"),
        right + "\u200b",
        right.replace("0", "０"),
        right + "\u0000",
    ]
    rows = made.submission()["zh/task2.jsonl"]
    for number, name in enumerate(alike):
        line = rows.replace(f'"{right}"'.encode(), made.jsonl([name]).strip())
        with_file(subjects, f"alike{number}", "zh/task2.jsonl", line)
