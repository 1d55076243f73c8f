"""The data chunk states less than what follows: programs that read to the end hear more."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    for name, less in {"sample": 2, "third": 3200, "nearly-all": len(good) - 44 - 6400}.items():
        write(subjects / name, edited(good, 40, struct.pack("<I", len(good) - 44 - less)))
