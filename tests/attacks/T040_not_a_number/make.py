"""NaN and the infinities, which Python's json reads and writes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for number, value in enumerate(("NaN", "Infinity", "-Infinity")):
        write(subjects / f"id{number}", raw_line("a", '"turn_id": 1', f'"turn_id": {value}'))
        write(subjects / f"extra{number}", raw_line("a", '"turns"', f'"x": [{value}], "turns"'))
