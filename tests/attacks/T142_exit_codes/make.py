"""137 without a kill for memory, 255, a signal to itself, and 0 with half of the results."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

EXIT137 = """
os._exit(137)
"""
EXIT255 = """
os._exit(255)
"""
KILLED = """
os.kill(os.getpid(), signal.SIGKILL)
"""
PARTIAL = """
(target / "zh/task2.jsonl").unlink()
(target / "en/task3.jsonl").unlink()
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "exit137", EXIT137)
    program(subjects, "exit255", EXIT255)
    program(subjects, "killed", KILLED)
    program(subjects, "partial", PARTIAL)
