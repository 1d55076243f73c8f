"""Escapes for half a character: alone, the wrong way round, doubled, in a key."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, raw_texts, write

ESCAPES = {
    "alone": r"\ud83d",
    "low": r"\ude00",
    "reversed": r"\ude00\ud83d",
    "doubled": r"\ud83d\ud83d\ude00",
    "whole": r"\u4f60\u4eca\u5929\u8f9b\u82e6\u4e86\ud83d\ude00",
}


def make(subjects: Path, random: Random) -> None:
    raw_texts(subjects, ESCAPES)
    write(subjects / "key", raw_line("key", '"turns"', r'"\udfff": 1, "turns"'))
