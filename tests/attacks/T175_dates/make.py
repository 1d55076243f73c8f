"""Results from 1970 and from 2100."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

DATES = """
for number, path in enumerate(sorted(target.rglob("*"))):
    os.utime(path, (0, 0) if number % 2 else (4_102_444_800, 4_102_444_800))
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "dates", DATES)
