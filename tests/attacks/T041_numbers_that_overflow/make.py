"""Exponents that become infinite, and some that do not."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    for name, value in {"big": "1e999", "negative": "-1e999", "long": "9" * 60 + "e300"}.items():
        write(subjects / name, raw_line(name, '"turns"', f'"x": {value}, "turns"'))
    for name, value in {"ok-large": "1e308", "ok-small": "1e-999", "ok-zero": "0e999"}.items():
        write(subjects / name, raw_line(name, '"turns"', f'"x": {value}, "turns"'))
