"""A good archive cut at each sixteenth of its length."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    forms = {"zip": made.zipped(files), "tar": made.tarred(files), "tar.gz": made.tarred(files, mode="w:gz")}
    for form, data in forms.items():
        for sixteenth in range(1, 16) if form == "zip" else (1, 8, 15):
            (subjects / f"cut{sixteenth:02}.{form}").write_bytes(data[: len(data) * sixteenth // 16])
        (subjects / f"last-byte.{form}").write_bytes(data[:-1])
