"""Two members of one name and different bytes: readers disagree on which counts."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited


def make(subjects: Path, random: Random) -> None:
    files = {"zh/task2.jsonl": b"{}\n", "zh/task3.jsonl": random.randbytes(20)}
    zipped, tarred = made.zipped(files), made.tarred(files)
    (subjects / "twice.zip").write_bytes(zipped.replace(b"task3", b"task2"))
    first, second = tarred[:1024], tarred[:512] + b"[]\n".ljust(512, b"\0")
    (subjects / "twice.tar").write_bytes(first + second + bytes(1024))
    (subjects / "same-bytes.tar").write_bytes(first + first + bytes(1024))
    # The directory lists one member twice, so that both entries have the same bytes.
    at = directory_at(zipped)
    entry = zipped[at : at + 46 + len("zh/task2.jsonl")]
    twice = zipped[:at] + entry * 2 + zipped[-22:]
    size = (len(entry) * 2).to_bytes(4, "little")
    (subjects / "one-member-listed-twice.zip").write_bytes(edited(twice, len(twice) - 10, size))
