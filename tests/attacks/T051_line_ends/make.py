"""CR LF at the ends of lines, CR alone, a last line without an end, NUL between lines."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    good = made.submission()["zh/task2.jsonl"]
    with_file(subjects, "crlf", "zh/task2.jsonl", good.replace(b"\n", b"\r\n"))
    with_file(subjects, "no-last", "zh/task2.jsonl", good.rstrip(b"\n"))
    with_file(subjects, "cr", "zh/task2.jsonl", good.replace(b"\n", b"\r"))
    with_file(subjects, "nul", "zh/task2.jsonl", good.replace(b"\n", b"\0\n"))
