"""Integers of thousands of digits, for which Python raises an error of its own kind."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for name, digits in {"cap": 64, "above": 65, "python": 5_000, "line": 1_000_000}.items():
        value = "".join(random.choices("123456789", k=digits))
        write(subjects / f"{name}-id", raw_line(name, '"turn_id": 1', f'"turn_id": {value}'))
        if digits > 64:
            write(subjects / f"{name}-extra", raw_line(name, '"turns"', f'"x": -{value}, "turns"'))
