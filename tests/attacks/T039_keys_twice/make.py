"""The same key twice: readers disagree on which counts. Once spelt with an escape, once far inside."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import raw_line, write


def make(subjects: Path, random: Random) -> None:
    twice = {
        "top": ('"turns"', '"dialogue_id": "other", "turns"'),
        "escaped": ('"turns"', r'"dialogue\u005fid": "other", "turns"'),
        "turn": ('"turn_id": 1', '"turn_id": 1, "turn_id": 2'),
        "reply": ('"response_text": "PLACE"', '"response_text": "a", "response_text": "b"'),
        "unknown": ('"turns"', '"x": {"y": [{"z": 1, "z": 1}]}, "turns"'),
    }
    for name, (old, new) in twice.items():
        write(subjects / name, raw_line(name, old, new))
