"""It forks until it fails, and its children sleep on."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

BOMB = """
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except BlockingIOError:
    pass
require("the cap", 0 < made < 128)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "bomb", BOMB)
