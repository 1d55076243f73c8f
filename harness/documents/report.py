"""Scores of one team: every item with its state, every dimension with how many stand behind it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from harness.documents.codec import from_plain
from harness.documents.finding import ChallengeRef
from harness.errors import MachineError, UsageError
from harness.resources import schema_path

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
MOVED = "marks_moved"  # evidence: the share of marks that differ between the samples of one reply
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


@dataclass(frozen=True, slots=True)
class CanaryCheck:
    """How the judge marked ``n`` known-answer items: ``out`` says which lie outside their bands, ``passed`` whether
    they are few enough."""

    n: int
    out: tuple[str, ...]
    passed: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """The mean of what was measured beside the marks of one task and language, over ``n`` replies. Ranks nothing."""

    task: str
    language: str
    measure: str
    mean: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """schemas/score-report. ``complete`` is false while a failed judgement waits: such a report is not published.
    ``review`` counts, for each flag of a reply (F_…), the dialogues that a person should look at; ``canaries`` is None
    when the judge has no known-answer items."""

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
    evidence: tuple[Evidence, ...] = ()
    review: dict[str, int] = field(default_factory=dict)
    canaries: CanaryCheck | None = None


def read_report(path: Path) -> ScoreReport:
    """One stored report, checked against its schema.

    Raises UsageError (E_DOCUMENT) for what is no score report, MachineError (E_SCORE) for a score that is no number:
    NaN, an infinity, a bool, a text.
    """
    try:
        plain = json.loads(path.read_text("utf-8"), object_pairs_hook=_object)
        json.dumps(plain, ensure_ascii=False).encode()  # refuses half a surrogate pair
    except (OSError, ValueError, RecursionError) as error:
        raise _no_report(path, str(error)) from error
    _refuse_non_numbers(plain, path)
    errors = _validator().iter_errors(plain)
    problems = sorted("/" + "/".join(str(part) for part in e.instance_path) + f": {e.message}" for e in errors)
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise _no_report(path, "; ".join(problems[:3]) + more)
    return from_plain(ScoreReport, plain)


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(json.loads(schema_path("score-report").read_text("utf-8")))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_report(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a score report: {why}",
        code="E_DOCUMENT",
        hint="pass a report.json that `humdial score` wrote; `humdial schema show score-report` prints the rules",
    )


def _refuse_non_numbers(plain: Any, path: Path) -> None:
    entries = plain.get("dimensions") if isinstance(plain, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        mean = entry.get("mean") if isinstance(entry, dict) else None
        total = entry.get("sum") if isinstance(entry, dict) else None
        if mean is None or _is_number(mean):
            if total is None or isinstance(total, str) or _is_number(total):
                continue
            mean = total
        raise MachineError(
            f"{path} holds a stored score that is no number: /dimensions/{index} has {mean!r}",
            code="E_SCORE",
            hint="score that team again; stored reports must not be edited",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
