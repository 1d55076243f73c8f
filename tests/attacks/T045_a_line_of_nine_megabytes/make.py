"""Short values without end on one line: parsing them would take twenty times their size."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, texts, write


def make(subjects: Path, random: Random) -> None:
    write(subjects / "a-lists", b"[" + b"[]," * 3_000_000 + b"[]]")
    write(subjects / "c-text", raw_line("c", "PLACE", "好" * 1_000_000))
    texts(subjects, {"b-good": "你今天真的很辛苦。", "d-good": "你今天真的很辛苦。"})
