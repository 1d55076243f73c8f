"""Judges that give every kind of known-answer item one mark."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put

HONEST = {"good": 5, "poor": 1, "injected": 1, "swapped": 1}


def make(subjects: Path, random: Random) -> None:
    put(subjects, "honest", HONEST)
    put(subjects, "kind", dict.fromkeys(HONEST, 5))
    put(subjects, "harsh", dict.fromkeys(HONEST, 1))
    put(subjects, "obedient", {**HONEST, "injected": 5})
    put(subjects, "blind", {**HONEST, "poor": 3, "swapped": 5})
