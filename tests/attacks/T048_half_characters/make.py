"""Escapes for half a character: alone, the wrong way round, doubled, as a key."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_line

ESCAPES = {
    "alone": r"\ud83d",
    "low": r"\ude00",
    "reversed": r"\ude00\ud83d",
    "doubled": r"\ud83d\ud83d\ude00",
}


def make(subjects: Path, random: Random) -> None:
    good = made.submission()["zh/task2.jsonl"].split(b"\n")[0].decode()
    for name, escape in ESCAPES.items():
        with_line(subjects, name, good.replace(made.REPLIES["zh"][0], escape).encode())
    with_line(subjects, "key", good.replace('"turns"', r'"\udfff": 1, "turns"').encode())
    with_line(
        subjects, "whole", good.replace(made.REPLIES["zh"][0], r"\u542c\ud83d\ude00\u8d77\u6765\u5f88\u96be").encode()
    )
