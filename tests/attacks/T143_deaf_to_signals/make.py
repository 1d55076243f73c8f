"""It spins and ignores every signal that can be ignored."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

DEAF = """
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "deaf", DEAF)
