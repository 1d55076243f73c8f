"""Line breaks, escapes, broken UTF-8, a leading dash, letters that run backwards."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

NAMES = """
for name in (b"a\\nb", b"\\x1b[31mred", b"\\xff\\xfe", b"-rf", "\\u202egnp.wav".encode()):
    open(b"/output/" + name, "w").close()
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "names", NAMES)
