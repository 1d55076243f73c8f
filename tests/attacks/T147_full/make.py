"""/output by bytes and by number of files, /tmp, /dev/shm."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

BYTES = """
block = b"x" * (1 << 20)
def fill():
    with open("/output/big", "wb", buffering=0) as big:
        for _ in range(20):
            if big.write(block) < len(block):
                raise OSError(errno.ENOSPC, "")
attempt("bytes", fill, "ENOSPC")
"""
INODES = """
attempt("files", lambda: [open(f"/output/{n}", "w").close() for n in range(1000)], "ENOSPC")
"""
ELSEWHERE = """
def fill(path):
    with open(path, "wb", buffering=0) as big:
        for _ in range(40):
            if big.write(b"x" * (1 << 20)) < 1 << 20:
                raise OSError(errno.ENOSPC, "")
attempt("/tmp", lambda: fill("/tmp/big"), "ENOSPC")
attempt("/dev/shm", lambda: fill("/dev/shm/big"), "ENOSPC")
"""
KILLED = """
with open("/output/big", "wb", buffering=0) as big:
    while big.write(b"x" * (1 << 20)) == 1 << 20:
        pass
    big.write(b"x")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "bytes", BYTES)
    program(subjects, "inodes_and_elsewhere", ELSEWHERE + INODES)
    program(subjects, "killed", KILLED)
