"""Opening a pipe that nobody writes to would wait for ever."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

SPECIAL = """
wavs = sorted((target / "zh/task4").iterdir())
wavs[0].unlink()
os.mkfifo(wavs[0])
os.chdir(wavs[1].parent)
wavs[1].unlink()
socket.socket(socket.AF_UNIX).bind(wavs[1].name)
attempt("a device", lambda: os.mknod(wavs[2].name + "x", 0o20666, os.makedev(1, 3)), "EPERM")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "special", SPECIAL)
