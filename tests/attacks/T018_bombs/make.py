"""Zeros that pack a thousand to one: one large member, and members that only together are too much."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path
from random import Random

import made
from made_archives import tar_header

MIB = 1 << 20


def make(subjects: Path, random: Random) -> None:
    _members(subjects / "one-member.zip", 70, 1)
    _members(subjects / "in-all.zip", 60, 150)
    with gzip.open(subjects / "one-member.tar.gz", "wb", compresslevel=6) as stream:
        stream.write(tar_header("zh/x", 100 * MIB))
        for _ in range(100):
            stream.write(bytes(MIB))
        stream.write(bytes(1024))
    honest = random.randbytes(100_000)
    (subjects / "kept.zip").write_bytes(made.zipped({**made.submission(), "zh/task2.jsonl.bak": honest}))


def _members(path: Path, mebibytes: int, members: int) -> None:
    """``members`` members of so many MiB of zeros. They are packed once and copied."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, crc = bytearray(), 0
    for _ in range(mebibytes):
        packed += packer.compress(bytes(MIB))
        crc = zlib.crc32(bytes(MIB), crc)
    packed += packer.flush()
    out, entries = io.BytesIO(), bytearray()
    facts = struct.pack("<3I", crc, len(packed), mebibytes * MIB)
    for number in range(members):
        name = b"z%03d" % number
        start = struct.pack("<5H", 20, 0, zipfile.ZIP_DEFLATED, 0, 0x21)
        entries += b"PK\x01\x02" + struct.pack("<H", 20) + start + facts
        entries += struct.pack("<5H2I", len(name), 0, 0, 0, 0, 0, out.tell()) + name
        out.write(b"PK\x03\x04" + start + facts + struct.pack("<2H", len(name), 0) + name + packed)
    at = out.tell()
    out.write(entries + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, members, members, len(entries), at, 0))
    path.write_bytes(out.getvalue())
