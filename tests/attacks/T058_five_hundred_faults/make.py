"""A missing key, null or a wrong type in five hundred lines: all are found."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, with_file


def make(subjects: Path, random: Random) -> None:
    faults = (('"dialogue_id"', '"id"'), ('"turns": [', '"turns": null, "x": ['), ('"turn_id": 1', '"turn_id": "1"'))
    rows = [raw_line(f"d{number}", *random.choice(faults)) for number in range(500)]
    with_file(subjects, "many", "zh/task2.jsonl", b"\n".join(rows) + b"\n")
