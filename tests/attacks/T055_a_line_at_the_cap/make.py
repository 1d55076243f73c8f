"""Lines one byte below the cap, at it, and one above."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import raw_line, write

CAP = made.CHALLENGE.read_limits.line_bytes


def make(subjects: Path, random: Random) -> None:
    for name, size in {"a-below": CAP - 1, "b-at": CAP, "c-above": CAP + 1}.items():
        short = len(raw_line(name, '"turns"', '"x": "", "turns"'))
        write(subjects / name, raw_line(name, '"turns"', f'"x": "{"x" * (size - short)}", "turns"'))
