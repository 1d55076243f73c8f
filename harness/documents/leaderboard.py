"""The table: one row a team, and why a row has no rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef


@dataclass(frozen=True, slots=True)
class Row:
    """One team. Numbers are the exact values as floats; ``display`` holds them rounded half up once.

    ``languages`` holds the final of each language; in JSON each is a key of the row itself ("zh", "en").
    """

    rank: int | None
    team: str
    display_name: str
    system: str
    late: bool
    baseline: bool
    final: float | None
    display: dict[str, str]
    columns: dict[str, float | None]
    missing_weight: dict[str, float] = field(default_factory=dict)
    languages: dict[str, float | None] = field(default_factory=dict)
    rank_low: int | None = None
    rank_high: int | None = None
    group: str | None = None
    ci: dict[str, tuple[float, float]] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """schemas/leaderboard. ``separable`` is empty until intervals are computed."""

    schema_version: int
    track: str
    phase: str
    policy: str
    challenge: ChallengeRef
    judge: JudgeRef | None
    official: bool
    rows: tuple[Row, ...]
    inputs_sha256: str
    separable: tuple[dict[str, Any], ...] = ()
