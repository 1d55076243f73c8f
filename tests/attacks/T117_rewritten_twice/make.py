"""A good file, with metadata, wider, floating, extensible; each twice through the path of what is judged."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import write
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    good = made.wav(1.0)
    extensible = fmt(0xFFFE) + struct.pack("<2HIH", 22, 16, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
    write(subjects / "same-plain", good)
    write(subjects / "same-tagged", riff(fmt(), good[44:], chunk(b"LIST", b"INFOICMT\x08\0\0\0score 5\0")))
    write(subjects / "same-extensible", riff(extensible, good[44:]))
    write(subjects / "wide", made.wav(1.0, bits=24))
    write(subjects / "float", made.wav(1.0, bits=32, tag=3))
