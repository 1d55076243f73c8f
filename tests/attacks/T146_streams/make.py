"""It reads from stdin, closes all its streams and works on, and writes more than anybody reads."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

READS = """
if sys.stdin.read() != "":
    sys.exit("something came in")  # a line of a log that overflows might be lost
"""
CLOSES = """
for number in (0, 1, 2):
    os.close(number)
time.sleep(0.3)
os._exit(0)
"""
SHOUTS = """
for _ in range(20_000):
    os.write(1, b"x" * 4000 + b"\\n")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "reads_and_shouts", READS + SHOUTS)
    program(subjects, "closes", CLOSES)
