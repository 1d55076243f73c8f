"""A zip's local header and its directory say different things of one member."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited

# Places in the local header (30 bytes, then the name) and in the directory's entry (46 bytes, then the name).
LOCAL = {"flags": 7, "method": 8, "crc": 14, "packed": 18, "size": 22, "name": 30}
ENTRY = {"flags": 9, "method": 10, "crc": 16, "packed": 20, "size": 24, "name": 46}


def make(subjects: Path, random: Random) -> None:
    data = made.zipped({"zh/task2.jsonl": random.randbytes(500), "b": b"x"}, method=zipfile.ZIP_STORED)
    at = directory_at(data)
    for side, places in (("local", LOCAL), ("entry", ENTRY)):
        for name, place in places.items():
            there = place + (at if side == "entry" else 0)
            bent = edited(data, there, bytes([data[there] ^ 8]))
            (subjects / f"{side}-{name}.zip").write_bytes(bent)
    (subjects / "count.zip").write_bytes(edited(data, len(data) - 14, struct.pack("<2H", 1, 1)))
    (subjects / "directory-size.zip").write_bytes(edited(data, len(data) - 10, struct.pack("<I", 10)))
    (subjects / "directory-place.zip").write_bytes(edited(data, len(data) - 6, struct.pack("<I", at + 1)))
    (subjects / "disk.zip").write_bytes(edited(data, len(data) - 18, b"\x01\x00"))
