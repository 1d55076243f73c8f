"""Lines just below the cap, full of small values or of long texts, and lines of a thousand faults each."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    full = b'{"dialogue_id": "x", "x": [' + b"[]," * 340_000 + b"[]]}"
    with_file(subjects, "full", "zh/task2.jsonl", (full + b"\n") * 40)
    turns = b'{"dialogue_id": "x", "turns": [' + b"[]," * 340_000 + b"[]]}"
    with_file(subjects, "turns", "zh/task2.jsonl", (turns + b"\n") * 40)
    faults = b'{"dialogue_id": "x", "turns": [' + b"0," * 990 + b"0]}"
    with_file(subjects, "faults", "zh/task2.jsonl", (faults + b"\n") * 20_000)
    texts = b'{"dialogue_id": "d%d", "turns": [{"turn_id": 1, "response_text": "' + b"x" * 1_000_000 + b'"}]}'
    with_file(subjects, "texts", "zh/task2.jsonl", b"".join(texts % number + b"\n" for number in range(20)))
