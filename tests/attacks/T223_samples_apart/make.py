"""Five samples of one item, near each other and far apart."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put


def make(subjects: Path, random: Random) -> None:
    put(subjects, "apart", [[mark, ""] for mark in (1, 5, 4, 5, 5)])
    put(subjects, "near", [[mark, ""] for mark in (3, 5, 4, 4, 5)])
