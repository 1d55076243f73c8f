"""Devices of Windows, a dot or a blank at the end, names and paths that are too long, text that runs backwards."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import drafts

NAMES = [
    "CON",
    "aux.wav",
    "nul.tar.gz",
    "COM1",
    "lpt9.txt",
    "end.",
    "blank ",
    " blank",
    "a" * 129,
    "\u202egpj.wav",
    "tab\t",
]


def make(subjects: Path, random: Random) -> None:
    drafts(subjects, {f"name{number:02d}": (f"zh/{name}", b"x") for number, name in enumerate(NAMES)})
