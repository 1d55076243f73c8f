"""What is published of one track: its table, and what only belongs in a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.documents.leaderboard import Leaderboard
from harness.documents.ratings import RatingsReport


@dataclass(frozen=True, slots=True)
class FlaggedItem:
    """A reply that was not simply scored, or that carries flags: for organisers only. ``states`` names what became
    of each of its dimensions, equal ones once. ``reply`` and ``reasons`` (dimension to mark and reason) are what
    review.jsonl quotes of the reply and of the judge."""

    task: str
    language: str
    dialogue_id: str
    states: tuple[str, ...]
    flags: tuple[str, ...]
    reply: str = ""
    reasons: dict[str, str] = field(default_factory=dict)


Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ShownPair:
    """An input of a full-duplex track and what a team's output did beside it: for organisers only.

    Spans are seconds from the first sample, None where nobody measured them. ``labels`` are of behaviour, None where
    nobody judged. ``audio`` is a FLAC with the user in its left channel and the model in its right; ``notes`` say what
    cannot be shown, or that it is not what was scored.
    """

    file: str
    language: str
    case: str
    state: str
    duration_s: float
    user: Spans | None
    model: Spans | None
    stop: Spans | None
    response: Spans | None
    labels: tuple[str, ...] | None
    delay_s: float | None
    audio: bytes | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One track's table; what a check of its ratings said (None: it has none); team to its flagged items and to the
    pairs that are drawn, which are read only where organisers ask."""

    board: Leaderboard
    ratings: RatingsReport | None = None
    flagged: dict[str, tuple[FlaggedItem, ...]] | None = None
    pairs: dict[str, tuple[ShownPair, ...]] | None = None
