"""Unknown keys: some, __proto__, exactly as many as are tolerated, one more, ten thousand."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for name, count in {"few": 3, "most": 64, "above": 65, "many": 10_000}.items():
        extra = "".join(f'"x{number}": {number}, ' for number in range(count))
        write(subjects / f"{name}-top", raw_line(f"{name}1", '"turns"', f'{extra}"turns"'))
        write(subjects / f"{name}-turn", raw_line(f"{name}2", '"turn_id": 1', f'{extra}"turn_id": 1'))
    write(subjects / "few-proto", raw_line("proto", '"turns"', '"__proto__": {"score": 5}, "score": 5, "turns"'))
