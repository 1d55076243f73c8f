"""Dangling links under the names of our own files."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

DANGLING = """
for name in ("run.json", "validation.json", "team.json", "scores.json", "metadata", "container.log", "result"):
    (target / name).symlink_to(f"/tmp/made-by-{name}")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "dangling", DANGLING)
