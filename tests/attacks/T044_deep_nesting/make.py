"""Arrays and objects in each other, up to what breaks recursive parsers; brackets inside strings do not count."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for depth in (17, 1_000, 100_000):
        write(subjects / f"lists-{depth}", raw_line("a", '"turns"', f'"x": {"[" * depth}{"]" * depth}, "turns"'))
        write(subjects / f"open-{depth}", b"[" * depth)
    nested = '{"a":' * 5_000 + "1" + "}" * 5_000
    write(subjects / "objects", raw_line("a", '"turns"', f'"x": {nested}, "turns"'))
    write(subjects / "ok-strings", raw_line("strings", "PLACE", "你今天很辛苦。" + "[{" * 100))
    write(subjects / "ok-sixteen", raw_line("sixteen", '"turns"', f'"x": {"[" * 15}{"]" * 15}, "turns"'))
