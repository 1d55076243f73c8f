"""A JSONL that is written to while it is read."""

from __future__ import annotations

from pathlib import Path
from random import Random
from threading import Event

import made


def make(subjects: Path, random: Random) -> None:
    made.write(subjects / "grows", made.submission())
    rows = made.submission()["zh/task2.jsonl"] * 20_000
    (subjects / "grows/zh/task2.jsonl").write_bytes(rows)


def during(subjects: Path, stop: Event) -> None:
    path = subjects / "grows/zh/task2.jsonl"
    while not stop.is_set():
        with path.open("ab") as stream:
            stream.write(b" ")
        stop.wait(0.001)
