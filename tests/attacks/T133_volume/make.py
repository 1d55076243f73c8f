"""A VOLUME stays writable and has no cap, wherever it is."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import dockerfile


def make(subjects: Path, random: Random) -> None:
    dockerfile(subjects, "own", "VOLUME /data")
    dockerfile(subjects, "over", "VOLUME /output")
