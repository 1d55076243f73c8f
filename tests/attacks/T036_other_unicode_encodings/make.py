"""JSONL in UTF-16 and UTF-32, with and without a mark: json.loads(bytes) would read them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    good = made.submission()["zh/task2.jsonl"].decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        with_file(subjects, encoding, "zh/task2.jsonl", good.encode(encoding))
