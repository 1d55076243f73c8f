"""What operating systems add to archives and folders; and what only looks like that."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made

JUNK = ("__MACOSX/zh/._task2.jsonl", "zh/.DS_Store", "zh/._a", "Thumbs.db")
NEAR = ("zh/DS_Store", "zh/_task2.jsonl", "thumbs.db.txt", "MACOSX/a")


def make(subjects: Path, random: Random) -> None:
    files = made.submission()
    junk, near = dict.fromkeys(JUNK, random.randbytes(50)), dict.fromkeys(NEAR, b"x")
    (subjects / "junk.zip").write_bytes(made.zipped({**files, **junk}))
    (subjects / "junk.tar").write_bytes(made.tarred({**files, **junk}))
    made.write(subjects / "junk-folder", {**files, **junk})
    (subjects / "near.zip").write_bytes(made.zipped({**files, **near}))
    (subjects / "only-junk.zip").write_bytes(made.zipped(junk))
