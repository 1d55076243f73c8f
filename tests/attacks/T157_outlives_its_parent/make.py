"""A child in a session of its own goes on writing when the program has ended."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

DAEMON = """
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for number in range(10_000):
        (target / "zh/task2.jsonl").open("a").close()
        time.sleep(0.001)
    os._exit(0)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "daemon", DAEMON)
