"""Lines that are JSON but no object."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import write


def make(subjects: Path, random: Random) -> None:
    for number, value in enumerate(("[]", '"text"', "1", "0.5", "null", "true", "[{}]")):
        write(subjects / f"v{number}", value.encode())
