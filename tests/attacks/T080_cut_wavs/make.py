"""Cut inside a sample, between two, in the header and in metadata; and an odd number of bytes of 16-bit samples."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    tagged = riff(fmt(), good[44:], chunk(b"LIST", b"INFOISFT" + bytes(40)))
    for at in (13, 30, 43, 45, 1000, 1001, len(good) - 1, len(good) - 2):
        write(subjects / f"at-{at}", good[:at])
    write(subjects / "in-metadata", tagged[:-9])
    write(subjects / "odd", riff(fmt(), good[44:-1]))
