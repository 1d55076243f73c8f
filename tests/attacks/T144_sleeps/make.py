"""One sleeps, one says for ever that it is alive."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

SILENT = """
time.sleep(600)
"""
HEARTBEAT = """
while True:
    print("alive", flush=True)
    time.sleep(0.01)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "silent", SILENT)
    program(subjects, "heartbeat", HEARTBEAT)
