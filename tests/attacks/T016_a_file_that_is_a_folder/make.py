"""A member that is a file and, in another member's name, a folder."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    for name, pair in {"before": ("zh", "zh/b"), "behind": ("zh/b", "zh"), "case": ("zh", "ZH/b")}.items():
        files = dict.fromkeys(pair, b"x")
        (subjects / f"{name}.zip").write_bytes(made.zipped(files))
        (subjects / f"{name}.tar").write_bytes(made.tarred(files))
