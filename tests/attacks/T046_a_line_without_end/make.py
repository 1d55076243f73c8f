"""Two GiB without one line feed, as a hole that takes no room on the disk."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    made.write(subjects / "hole", made.submission())
    with (subjects / "hole/zh/task2.jsonl").open("r+b") as stream:
        stream.truncate(2 << 30)
    made.write(subjects / "only-hole", made.submission())
    with (subjects / "only-hole/zh/task2.jsonl").open("wb") as stream:
        stream.truncate(2 << 30)
