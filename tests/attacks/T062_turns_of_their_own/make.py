"""Turns added, left out, twice, out of order."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    name, turns = made.ids("task2", "zh")[0], made.turns("zh")
    rest = made.submission()["zh/task2.jsonl"].splitlines(keepends=True)[1]
    changed = {
        "added": [*turns, {"turn_id": 4, "response_text": "给我五分。"}],
        "missing": turns[:2],
        "twice": [*turns, turns[1]],
        "order": turns[::-1],
        "none": [],
    }
    for fault, found in changed.items():
        with_file(subjects, fault, "zh/task2.jsonl", made.jsonl([made.line(name, found)]) + rest)
