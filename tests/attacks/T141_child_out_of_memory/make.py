"""A child takes more memory than there is; the parent goes on and ends well."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

CHILD = """
subprocess.run([sys.executable, "-c", "bytearray(400 << 20)"])
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "child", CHILD)
