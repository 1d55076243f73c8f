"""What is published of one track: its table, and what only belongs in a report."""

from __future__ import annotations

from dataclasses import dataclass

from harness.documents.leaderboard import Leaderboard
from harness.documents.ratings import RatingsReport


@dataclass(frozen=True, slots=True)
class FlaggedItem:
    """A reply that was not simply scored, or that carries flags: for organisers only. ``states`` names what became
    of each of its dimensions, equal ones once."""

    task: str
    language: str
    dialogue_id: str
    states: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One track's table; what a check of its ratings said (None: it has none); team to its flagged items, which are
    read only where organisers ask."""

    board: Leaderboard
    ratings: RatingsReport | None = None
    flagged: dict[str, tuple[FlaggedItem, ...]] | None = None
