"""Names that are one path in another spelling. Only the "./" that `tar -C dir .` writes is ordinary."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made

NAMES = ("zh//x", "zh/./x", "zh/../x", "././x", "./", "zh/task2.jsonl/")


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    dotted = {f"./{path}": data for path, data in files.items()}
    (subjects / "dotted.zip").write_bytes(made.zipped(dotted))
    (subjects / "dotted.tar").write_bytes(made.tarred(dotted))
    for number, name in enumerate(NAMES):
        rest = {path: data for path, data in files.items() if not name.startswith(path)}
        (subjects / f"name{number}.zip").write_bytes(made.zipped({**rest, name: b"x"}))
        (subjects / f"name{number}.tar").write_bytes(made.tarred({**rest, name: b"x"}))
