"""A dialogue nobody asked for, one left out, one twice."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import raw_line, with_file


def make(subjects: Path, random: Random) -> None:
    rows = made.submission()["zh/task2.jsonl"].splitlines(keepends=True)
    other = raw_line("task2_3_zh_0009_0009", "PLACE", "你今天很辛苦。") + b"\n"
    with_file(subjects, "unknown", "zh/task2.jsonl", b"".join([*rows, other]))
    with_file(subjects, "missing", "zh/task2.jsonl", rows[0])
    with_file(subjects, "twice", "zh/task2.jsonl", b"".join([*rows, rows[1]]))
    with_file(subjects, "other-language", "zh/task2.jsonl", made.submission()["en/task2.jsonl"])
