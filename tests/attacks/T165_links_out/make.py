"""Symbolic links to a secret of the host, to another team, to the root; a linked folder."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

LINKS = """
wavs = sorted((target / "zh/task4").iterdir())
for wav, to in zip(wavs, ("/etc/shadow", "../../../../etc/passwd", "/")):
    wav.unlink()
    wav.symlink_to(to)
"""
FOLDER = """
for language in ("zh", "en"):
    shutil.move(target / language, target / f"real-{language}")
    (target / language).symlink_to(f"real-{language}")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "links", LINKS)
    program(subjects, "folder", FOLDER)
