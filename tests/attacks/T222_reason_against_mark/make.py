"""Verdicts whose reasons name another mark than they give."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put


def make(subjects: Path, random: Random) -> None:
    put(subjects, "against_en", [[5, "kind but it only mirrors, 2/5"]])
    put(subjects, "against_zh", [[5, "只是重复用户的话，得2分"]])
    put(subjects, "agrees", [[4, "warm and specific, 4/5"], [4, "no number"]])
