"""What one report is worth in one phase, before the cohort gives it a rank: what every kind of track hands to the
table."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from harness.documents.leaderboard import Behind
from harness.documents.report import ScoreReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """One report with its exact values.

    ``columns`` are in the order in which they are shown. ``decimals`` holds the columns (or "final", or a language)
    that are displayed with other than the track's number of places. ``notes`` follow those that every row can have.
    """

    report: ScoreReport
    final: Fraction | None
    languages: dict[str, Fraction | None]
    columns: dict[str, Fraction | None]
    missing_weight: dict[str, Fraction] = field(default_factory=dict)
    decimals: dict[str, int] = field(default_factory=dict)
    behind: dict[str, Behind] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
