"""Members whose names lead above the folder they are unpacked to."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made

NAMES = ("../x", "zh/../../x", "..", "../" * 40 + "etc/cron.d/x", "a\\..\\..\\x")


def make(subjects: Path, random: Random) -> None:
    bait = f"../../bait/{random.randrange(10**6)}"
    for number, name in enumerate((*NAMES, bait)):
        files = {"zh/task2.jsonl": b"{}", name: b"x"}
        (subjects / f"name{number}.zip").write_bytes(made.zipped(files))
        (subjects / f"name{number}.tar").write_bytes(made.tarred(files))
