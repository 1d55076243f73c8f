"""Samples of 0, 8, 12, 20, 64 and 65535 bits beside those of 24 and 32."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for bits in (24, 32):
        write(subjects / f"wide-{bits}", made.wav(bits=bits))
    for bits in (0, 1, 8, 12, 15, 20, 40, 64, 65535):
        write(subjects / f"bits-{bits}", riff(edited(fmt(), 14, struct.pack("<H", bits)), data))
    write(subjects / "bits-true-8", made.wav(bits=8))
    write(subjects / "bits-true-64", riff(fmt(bits=64), data))
