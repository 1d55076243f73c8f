"""Chunk sizes past the end, nearly 2^32, and odd without the pad byte."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for name, size in {"one": 5, "huge": 0xFFFFFFFE, "most": 0xFFFFFFFF}.items():
        broken = b"LIST" + struct.pack("<I", size) + b"INFO"
        write(subjects / f"behind-{name}", riff(fmt(), data, broken))
        write(
            subjects / f"fmt-{name}",
            riff(fmt(), data).replace(struct.pack("<I", 16), struct.pack("<I", size + (1 << 20) & 0xFFFFFFFF), 1),
        )
    write(subjects / "before", riff(fmt(), data, before=b"JUNK" + struct.pack("<I", 0xFFFFFFFE)))
    write(subjects / "odd-without-pad", riff(fmt(), data, b"LIST" + struct.pack("<I", 3) + b"abc"))
