"""The data chunk states more bytes than the file has."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    for name, more in {"gibibyte": 1 << 30, "sample": 2, "byte": 1, "half": (len(good) - 44) // 2}.items():
        write(subjects / name, edited(good, 40, struct.pack("<I", len(good) - 44 + more)))
