"""Mode 000 on a result and on a folder, and extended attributes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

MODES = """
wavs = sorted((target / "zh/task4").iterdir())
try:
    os.setxattr(wavs[1], "user.note", b"score 5")
except OSError:
    pass
wavs[0].chmod(0)
(target / "en/task4").chmod(0)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "modes", MODES)
