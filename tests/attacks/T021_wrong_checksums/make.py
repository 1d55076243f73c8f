"""Data that does not fit its checksum."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited


def make(subjects: Path, random: Random) -> None:
    files = {"zh/task2.jsonl": random.randbytes(3000)}
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        data = made.zipped(files, method=method)
        place = directory_at(data) // 2
        (subjects / f"{name}.zip").write_bytes(edited(data, place, bytes([data[place] ^ 1])))
        wrong = struct.pack("<I", 1)
        (subjects / f"{name}-both-say.zip").write_bytes(edited(edited(data, 14, wrong), directory_at(data) + 16, wrong))
    packed = made.tarred(files, mode="w:gz")
    (subjects / "gzip.tar.gz").write_bytes(edited(packed, len(packed) - 8, struct.pack("<I", 1)))
    (subjects / "gzip-length.tar.gz").write_bytes(edited(packed, len(packed) - 4, struct.pack("<I", 1)))
