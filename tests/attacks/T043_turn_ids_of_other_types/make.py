"""turn_id as everything that is nearly an integer."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write

VALUES = {
    "true": "true",
    "float": "1.0",
    "exponent": "1e0",
    "text": '"1"',
    "minus-zero": "-0",
    "zero": "0",
    "negative": "-1",
    "huge": str(2**63),
    "null": "null",
    "list": "[1]",
    "object": '{"1": 1}',
}


def make(subjects: Path, random: Random) -> None:
    for name, value in VALUES.items():
        write(subjects / name, raw_line(name, '"turn_id": 1', f'"turn_id": {value}'))
