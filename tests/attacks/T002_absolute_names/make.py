"""Members with absolute names: of the root, of a host, of a drive."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made

NAMES = ("/tmp/humdial-absolute", "//host/share/x", "C:x", "C:/x", "\\\\host\\share\\x", "/")


def make(subjects: Path, random: Random) -> None:
    for number, name in enumerate((*NAMES, f"{subjects.parent}/bait/new.txt")):
        files = {**made.submission(), name: b"x"}
        (subjects / f"name{number}.zip").write_bytes(made.zipped(files))
        (subjects / f"name{number}.tar").write_bytes(made.tarred(files))
