"""A child swaps a result for a link to the root's secrets until the container is gone, and last of all it is a link."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

SWAPS = """
wav = sorted((target / "zh/task4").iterdir())[0]
kept = wav.read_bytes()
spare, link = target / "zh/spare", target / "zh/link"
for _ in range(3000):
    spare.write_bytes(kept)
    os.rename(spare, wav)
    link.symlink_to("/etc/shadow")
    os.rename(link, wav)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "swaps", SWAPS)
