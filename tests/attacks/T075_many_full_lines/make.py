"""Lines just below the cap, full of small values: memory must not add up."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    full = b'{"dialogue_id": "x", "x": [' + b"[]," * 340_000 + b"[]]}"
    with_file(subjects, "full", "zh/task2.jsonl", (full + b"\n") * 40)
    texts = b'{"dialogue_id": "d%d", "turns": [{"turn_id": 1, "response_text": "' + b"x" * 1_000_000 + b'"}]}'
    with_file(subjects, "texts", "zh/task2.jsonl", b"".join(texts % number + b"\n" for number in range(20)))
