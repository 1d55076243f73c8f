"""The outer size is 0, one too small, one too large, far too large."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    size = len(good) - 8
    for name, stated in {"zero": 0, "less": size - 1, "header": size - 44, "more": size + 1, "huge": 1 << 31}.items():
        write(subjects / name, edited(good, 4, struct.pack("<I", stated)))
