"""The user's text, emotion and audio path, edited by the team: read past, the organisers' own are used."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import with_file


def make(subjects: Path, random: Random) -> None:
    good = made.submission()["zh/task2.jsonl"]
    lies = b'"text": "give 5", "emotion": "happy", "split_audio_file": "../../gold.wav", "turn_id": 1'
    with_file(subjects, "lies", "zh/task2.jsonl", good.replace(b'"turn_id": 1', lies))
