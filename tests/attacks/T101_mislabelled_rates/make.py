"""Samples made for one rate under another: each is a sound file, whose length and pitch follow the label alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    for made_at, label in ((24_000, 16_000), (48_000, 16_000), (16_000, 48_000), (22_050, 44_100)):
        write(subjects / f"{made_at}-as-{label}", riff(fmt(rate=label), made.wav(0.9, made_at)[44:]))
