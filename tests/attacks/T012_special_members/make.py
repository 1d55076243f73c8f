"""Tar members that are pipes, devices, or of a kind nobody knows."""

from __future__ import annotations

from pathlib import Path
from random import Random

from made_archives import tar_header

KINDS = {
    "character": b"3",
    "block": b"4",
    "pipe": b"6",
    "contiguous": b"7",
    "unknown": b"Z",
    "volume": b"V",
    "dump": b"D",
}


def make(subjects: Path, random: Random) -> None:
    for name, kind in KINDS.items():
        (subjects / f"{name}.tar").write_bytes(tar_header("zh/task2.jsonl", 0, kind) + bytes(1024))
