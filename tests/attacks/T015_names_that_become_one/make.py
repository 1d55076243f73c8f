"""Names that are one where case or the writing of accents does not count."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made

PAIRS = {
    "case": ("zh/A.wav", "zh/a.wav"), "folder-case": ("ZH/a", "zh/b"), "accents": ("zh/\u00e9", "zh/e\u0301"),
    "sharp-s": ("zh/\u00df", "zh/ss"), "kelvin": ("zh/\u212a", "zh/k"), "sigma": ("zh/\u03c3", "zh/\u03c2"),
}  # fmt: skip


def make(subjects: Path, random: Random) -> None:
    for name, pair in PAIRS.items():
        files = dict.fromkeys(pair, b"x")
        (subjects / f"{name}.zip").write_bytes(made.zipped(files))
        (subjects / f"{name}.tar").write_bytes(made.tarred(files))
