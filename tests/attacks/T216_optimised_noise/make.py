"""Marks of one reply, judged several times: of sound that was tuned to a judge they scatter, of speech they do not."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put


def make(subjects: Path, random: Random) -> None:
    put(subjects, "edge_once", [[5, "warm"], [2, "noise"], [5, "warm"]])
    put(subjects, "edge_always", [[1, "noise"], [5, "warm"], [3, "fair"]])
    put(subjects, "firm_equal", [[4, "warm"], [4, "warm"], [4, "warm"]])
    put(subjects, "firm_beside", [[4, "warm"], [5, "warm"], [4, "warm"]])
