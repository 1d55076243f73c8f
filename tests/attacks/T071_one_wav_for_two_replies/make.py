"""Two replies that name the same WAV."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import line, with_file


def make(subjects: Path, random: Random) -> None:
    path = "zh/task4.jsonl"
    rows = [line(name, response_audio="task4/one.wav") for name in made.ids("task4", "zh")]
    with_file(subjects, "shared", path, made.jsonl(rows))
