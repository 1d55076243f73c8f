"""Sizes of 0, 0xFFFFFFFF and 0x7FFFFFFF, in the data chunk, in the RIFF header and in both."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    for size in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        raw = struct.pack("<I", size)
        write(subjects / f"data-{size:x}", edited(good, 40, raw))
        write(subjects / f"riff-{size:x}", edited(good, 4, raw))
        write(subjects / f"both-{size:x}", edited(edited(good, 40, raw), 4, raw))
