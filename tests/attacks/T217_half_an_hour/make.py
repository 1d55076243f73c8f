"""A reply of thirty minutes at 8 kHz, so that only its length is wrong."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    name = next(name for name in sorted(files) if name.endswith(".wav"))
    files[name] = made.riff(made.fmt(rate=8000), b"\1\0" * (8000 * 1800))
    made.write(subjects / "long", files)
