"""Too many members: a hundred thousand in a packed tar (junk, so that none is made), 25,000 in a zip; deep folders."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path
from random import Random

import made
from made_archives import tar_header


def make(subjects: Path, random: Random) -> None:
    headers = b"".join(tar_header(f"._{number}", 0) for number in range(25_000))
    with gzip.open(subjects / "many.tar.gz", "wb", compresslevel=1) as stream:
        for _ in range(4):
            stream.write(headers)
    (subjects / "many.zip").write_bytes(_many(25_000))
    deep = "d/" * 300 + "x"
    (subjects / "deep.zip").write_bytes(made.zipped({deep: b""}))
    (subjects / "deep.tar").write_bytes(made.tarred({deep: b""}))


def _many(count: int) -> bytes:
    out, entries = io.BytesIO(), bytearray()
    for number in range(count):
        name = b"f%05d" % number
        entries += b"PK\x01\x02" + struct.pack(
            "<6H3I5H2I", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 6, 0, 0, 0, 0, 0, out.tell()
        )
        entries += name
        out.write(b"PK\x03\x04" + struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, 0, 0, 0, 6, 0) + name)
    at = out.tell()
    out.write(entries + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, count, count, len(entries), at, 0))
    return out.getvalue()
