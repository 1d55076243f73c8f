"""LIST chunks whose inner sizes are impossible: nested, negative, zero."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import write
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for name, size in {"zero": 0, "one": 1, "huge": 0xFFFFFFFF, "negative": 0x80000000}.items():
        inner = b"INFOISFT" + struct.pack("<I", size) + b"Lavf"
        write(subjects / name, riff(fmt(), data, chunk(b"LIST", inner)))
    nested = b"INFO"
    for _ in range(200):
        nested = b"INFO" + chunk(b"LIST", nested)
    write(subjects / "nested", riff(fmt(), data, chunk(b"LIST", nested)))
    write(subjects / "empty", riff(fmt(), data, before=chunk(b"LIST", b"")))
