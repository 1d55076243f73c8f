"""The same bytes as the reply of four dialogues, which a person should hear, and of two, which is too few to say so."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write


def make(subjects: Path, random: Random) -> None:
    for number in range(1, 5):
        write(subjects / f"four-{number}", made.wav(seed=500))
    for number in range(1, 3):
        write(subjects / f"two-{number}", made.wav(seed=501))
