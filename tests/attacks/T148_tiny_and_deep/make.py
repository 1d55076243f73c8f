"""Neither gets further than the number of files that /output may hold."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

TINY = """
for number in range(10**6):
    open(f"/output/{number}", "w").close()
"""
DEEP = """
for _ in range(1000):
    os.mkdir("/output/d" if _ == 0 else "d")
    os.chdir("/output/d" if _ == 0 else "d")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "tiny", TINY)
    program(subjects, "deep", DEEP)
