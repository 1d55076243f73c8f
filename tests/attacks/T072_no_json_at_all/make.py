"""JSONL that is gzip, SQLite, a pickle, a PNG, an executable."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    for name, data in {
        "gzip": gzip.compress(made.submission()["zh/task2.jsonl"], mtime=0),
        "sqlite": b"SQLite format 3\0" + random.randbytes(500),
        "pickle": pickle.dumps({"dialogue_id": "x"}, protocol=4),
        "png": b"\x89PNG\r\n\x1a\n" + random.randbytes(500),
        "elf": b"\x7fELF\x02\x01\x01\0" + random.randbytes(500),
    }.items():
        with_file(subjects, name, "zh/task2.jsonl", data.replace(b"\n", b"\0"))
