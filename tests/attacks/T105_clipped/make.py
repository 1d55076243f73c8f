"""A square wave at full scale, and one in hundred samples there; no level is repaired."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    high, low = struct.pack("<h", 32767), struct.pack("<h", -32768)
    write(subjects / "square", riff(fmt(), (high * 50 + low * 50) * 160))
    data = bytearray(made.wav(0.5)[44:])
    for at in range(0, len(data), 160):
        data[at : at + 2] = high
    write(subjects / "some", riff(fmt(), bytes(data)))
