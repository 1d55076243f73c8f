"""One member's data under five names of the directory, and a member that lies inside another."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from random import Random

import made
from hostile import directory_at, edited


def make(subjects: Path, random: Random) -> None:
    (subjects / "five.zip").write_bytes(_five())
    (subjects / "nested.zip").write_bytes(_nested(random))


def _five() -> bytes:
    data = made.zipped({"a1": b"x" * 100}, method=zipfile.ZIP_STORED)
    at = directory_at(data)
    entry, end = data[at:-22], data[-22:]
    entries = b"".join(entry.replace(b"a1", b"a%d" % number) for number in range(1, 6))
    return data[:at] + entries + end[:8] + struct.pack("<2H2I", 5, 5, len(entries), at) + end[20:]


def _nested(random: Random) -> bytes:
    inner = made.zipped({"b": random.randbytes(10)}, method=zipfile.ZIP_STORED)
    local = inner[: directory_at(inner)]
    data = made.zipped({"a": local + random.randbytes(20)}, method=zipfile.ZIP_STORED)
    at = directory_at(data)
    second = edited(inner[directory_at(inner) : -22], 42, struct.pack("<I", data.index(local)))
    entries = data[at:-22] + second
    return data[:at] + entries + data[-22:-14] + struct.pack("<2H2IH", 2, 2, len(entries), at, 0)
