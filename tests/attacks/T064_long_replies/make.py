"""Replies beyond the cap, one at it."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import texts


def make(subjects: Path, random: Random) -> None:
    texts(subjects, {"at": "好" * 4_000, "above": "好" * 4_001, "long": "好" * 50_000, "emoji": "👍🏽" * 2_001})
