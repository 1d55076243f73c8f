"""What lenient parsers take: trailing text, two values, comments, trailing commas, other quotes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    good = raw_line("a", "PLACE", "你今天很辛苦。")
    lines = {
        "trailing": good + b" x",
        "two": good + good,
        "comma": good + b",",
        "comment": good + b" // ok",
        "comment-c": b"/* ok */" + good,
        "hash": b"# ok",
        "trailing-comma": good[:-1] + b",}",
        "single-quotes": good.replace(b'"', b"'"),
        "no-quotes": good.replace(b'"dialogue_id"', b"dialogue_id"),
        "cut": good[:-1],
        "python": b"{'dialogue_id': None}",
        "plus": raw_line("a", '"turn_id": 1', '"turn_id": +1'),
        "zero": raw_line("a", '"turn_id": 1', '"turn_id": 01'),
        "hex": raw_line("a", '"turn_id": 1', '"turn_id": 0x1'),
        "point": raw_line("a", '"turn_id": 1', '"turn_id": 1.'),
        "escape": raw_line("a", "PLACE", r"\x41"),
        "form-feed": b"\x0c" + good,
        "rs": b"\x1e" + good,
    }
    for name, data in lines.items():
        write(subjects / name, data)
