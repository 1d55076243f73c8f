"""The program itself takes more memory than there is."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

BOMB = """
block = bytearray(400 << 20)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "bomb", BOMB)
