"""WAVs, a JSONL and a folder of mode 000, beside another fault that must be found as well."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    for name in ("wav", "jsonl", "folder"):
        folder = made.write(subjects / name, {**made.submission(), "en/task3.jsonl": b"{}\n"})
        closed = {"wav": "zh/task4", "jsonl": "zh/task2.jsonl", "folder": "zh/task4"}[name]
        path = folder / closed if name != "wav" else min((folder / closed).iterdir())
        path.chmod(0)
