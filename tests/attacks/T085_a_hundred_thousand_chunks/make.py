"""A hundred thousand empty chunks, one more than the cap allows; at the cap it is a file with metadata."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import chunk, fmt, riff


def make(subjects: Path, random: Random) -> None:
    data, cap = made.wav()[44:], made.CHALLENGE.read_limits.wav_chunks
    write(subjects / "many-before", riff(fmt(), data, before=chunk(b"JUNK", b"") * 100_000))
    write(subjects / "many-behind", riff(fmt(), data, chunk(b"JUNK", b"") * 100_000))
    write(subjects / "one-too-many", riff(fmt(), data, before=chunk(b"JUNK", b"") * (cap - 1)))
    write(subjects / "at-the-cap", riff(fmt(), data, before=chunk(b"JUNK", b"") * (cap - 2)))
