"""Scores of one team: every item with its state, every dimension with how many stand behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from harness.documents.finding import ChallengeRef

ItemState = Literal[
    "scored",
    "missing",
    "empty",
    "silent",
    "language_mismatch",
    "too_short",
    "echo",
    "invalid",
    "judge_failed",
    "not_judged",
    "not_rated",
    "skipped",
    "excluded",
]
# In the order they are printed.
ITEM_STATES: tuple[ItemState, ...] = (
    "scored",
    "missing",
    "empty",
    "silent",
    "language_mismatch",
    "too_short",
    "echo",
    "invalid",
    "judge_failed",
    "not_judged",
    "not_rated",
    "skipped",
    "excluded",
)
# What is wrong with a reply itself. Under a policy with floors these give the lowest value of the scale.
FAULT_STATES: frozenset[ItemState] = frozenset(
    {"missing", "empty", "silent", "language_mismatch", "too_short", "echo", "invalid"}
)
# What no policy counts among a mean's items.
UNCOUNTED_STATES: frozenset[ItemState] = frozenset({"not_judged", "not_rated", "skipped", "excluded"})


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One dimension of one evaluated turn. ``score`` is None unless it counts under the report's policy."""

    task: str
    language: str
    dialogue_id: str
    turn_id: int | None
    dimension: str
    score: int | float | None
    state: ItemState
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionScore:
    """Mean over ``n`` items; ``sum`` is exact: an integer, or a fraction as "p/q". ``counts`` holds how many items of
    the organisers' list ended in each state; states that did not occur are left out.

    ``mean`` is None when nobody judged the dimension, or while a failed judgement of it waits. A report that was
    typed in from a published table has no ``sum``: then ``mean`` is read as a decimal.
    """

    task: str
    language: str
    dimension: str
    mean: float | None
    sum: int | str | None = None
    n: int
    source: Literal["judge", "human", "metric"]
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgeRef:
    """Which judge scored. ``not_judged`` lists the dimensions ("task.dimension") that it cannot judge at all."""

    profile: str
    fingerprint: str
    official: bool
    not_judged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """schemas/score-report. ``complete`` is false while a failed judgement waits: such a report is not published."""

    schema_version: int
    team: str
    display_name: str
    system: str
    track: str
    policy: Literal["strict", "published"]
    late: bool = False
    baseline: bool = False
    challenge: ChallengeRef
    judge: JudgeRef | None = None
    dimensions: tuple[DimensionScore, ...]
    measures: dict[str, Any] = field(default_factory=dict)
    items: str | None = None
    complete: bool = True
