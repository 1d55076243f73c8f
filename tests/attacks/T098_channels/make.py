"""0, 2, 6 and 65535 channels, in the header alone and in the samples too."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import made
from hostile import edited, write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for count in (0, 2, 6, 65535):
        write(subjects / f"stated-{count}", riff(edited(fmt(), 2, struct.pack("<H", count)), data))
    for count in (2, 6):
        write(subjects / f"true-{count}", made.wav(channels=count))
