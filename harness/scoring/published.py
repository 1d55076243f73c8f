"""Reading a judge's reply exactly as the published scripts do, and their means over rows (challenge facts 3.4).

Two styles were published. A scale with gaps (1/3/5) is *snapped*, a scale without (1 to 5) is *clamped*; both take
Python's ``int(x)`` and then the highest mark that is not above it. They differ where something is wrong: see Style.
Where the scripts die of an exception there is a named outcome here and never a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from harness.challenge.spec import Task

Outcome = Literal["scored", "unparsed", "misshapen"]
FLAG_REPAIRED = "F_REPAIRED"
FLAG_MARK = "F_MARK"
FLAG_NO_SCORES = "F_NO_SCORES"


@dataclass(frozen=True, slots=True)
class Style:
    """How one task's replies are read. ``scale`` lists its marks in rising order."""

    scale: tuple[int, ...]
    closes_brackets: bool  # the repair appends "]" too
    infinity_fails: bool  # else it counts as the lowest mark
    scores_required: bool  # else a reply without "scores" has the lowest mark everywhere
    keeps_unknown: bool  # keys of "scores" that are no dimension stay in the result

    @classmethod
    def of(cls, task: Task) -> Style:
        """Snapping for a scale with gaps, clamping for one without."""
        gaps = task.scale != tuple(range(task.scale[0], task.scale[-1] + 1))
        return cls(task.scale, closes_brackets=gaps, infinity_fails=gaps, scores_required=gaps, keeps_unknown=gaps)


@dataclass(frozen=True, slots=True)
class ReplyReading:
    """One reply. ``scores`` is None unless ``outcome`` is "scored": "unparsed" means that it is not JSON even after
    the repair (or that the repaired text has the wrong shape), "misshapen" that it is JSON of the wrong shape.

    ``raw`` keeps the marks as the judge wrote them wherever reading changed them; ``flags`` say what was done.
    """

    outcome: Outcome
    scores: dict[str, int] | None = None
    repaired: bool = False
    raw: dict[str, str] | None = None
    flags: tuple[str, ...] = ()


class _Misshapen(Exception):
    """JSON, but not of the shape that the scripts can use."""


def snap(value: Any, scale: Sequence[int]) -> int | None:
    """A mark of a scale with gaps from any JSON value; None where the published code dies (infinity)."""
    try:
        return _nearest(int(value), scale)
    except OverflowError:
        return None
    except (TypeError, ValueError):
        return scale[0]


def clamp(value: Any, scale: Sequence[int]) -> int:
    """A mark of a scale without gaps from any JSON value; what cannot be read counts as the lowest mark."""
    try:
        return _nearest(int(value), scale)
    except (OverflowError, TypeError, ValueError):
        return scale[0]


def _nearest(number: int, scale: Sequence[int]) -> int:
    return max((mark for mark in scale if mark <= number), default=scale[0])


def read_reply(text: str, task: Task) -> ReplyReading:
    """A judge's whole reply under policy ``published``. Never raises and never asks again."""
    style, dimensions = Style.of(task), task.dimension_ids()
    body = _json_part(text)
    try:
        parsed = json.loads(body)
    except json.JSONDecodeError:
        return _read_repaired(body, style, dimensions)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or too many brackets
        return ReplyReading("misshapen")
    try:
        return _marks(parsed, style, dimensions)
    except _Misshapen:
        return ReplyReading("misshapen")


def _read_repaired(body: str, style: Style, dimensions: Sequence[str]) -> ReplyReading:
    closed = body + "}" * (body.count("{") - body.count("}"))
    if style.closes_brackets:
        closed += "]" * (body.count("[") - body.count("]"))
    try:
        reading = _marks(json.loads(closed), style, dimensions)
    except (ValueError, RecursionError, _Misshapen):
        return ReplyReading("unparsed")
    return ReplyReading("scored", reading.scores, True, reading.raw, (FLAG_REPAIRED, *reading.flags))


def _json_part(text: str) -> str:
    """What the scripts hand to the JSON parser: the first ```json block, a wholly fenced text's inside, or all."""
    stripped = text.strip()
    if "```json" in stripped:
        return stripped.split("```json", 1)[1].split("```", 1)[0].strip()
    if stripped.startswith("```") and stripped.endswith("```"):
        return stripped.removeprefix("```").removesuffix("```").strip().removeprefix("json").strip()
    return stripped


def _marks(parsed: Any, style: Style, dimensions: Sequence[str]) -> ReplyReading:
    if not isinstance(parsed, dict):
        raise _Misshapen
    if "scores" not in parsed and not style.scores_required:
        return ReplyReading("scored", dict.fromkeys(dimensions, style.scale[0]), flags=(FLAG_NO_SCORES,))
    written = parsed.get("scores")
    if not isinstance(written, dict):
        raise _Misshapen
    scores: dict[str, int] = {}
    for dimension in dimensions:
        mark = _mark(written.get(dimension), style)
        if mark is None:
            raise _Misshapen
        scores[dimension] = mark
    changed = {d: repr(written.get(d)) for d in dimensions if not _is_mark(written.get(d), scores[d])}
    if style.keeps_unknown:
        scores = {**{name: value for name, value in written.items() if name not in scores}, **scores}
    return ReplyReading("scored", scores, raw=changed or None, flags=(FLAG_MARK,) if changed else ())


def _mark(value: Any, style: Style) -> int | None:
    return snap(value, style.scale) if style.infinity_fails else clamp(value, style.scale)


def _is_mark(value: Any, mark: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == mark


@dataclass(frozen=True, slots=True)
class Means:
    """Means of one result file, exact. ``overall`` pools every mark of every dimension."""

    successful: int
    failed: int
    dimensions: dict[str, Fraction]
    overall: Fraction | None


def means(rows: Iterable[Mapping[str, int] | None], dimensions: Sequence[str]) -> Means | None:
    """Over the rows with scores (a failed row is None and left out of every mean); None when there are no rows."""
    listed = list(rows)
    if not listed:
        return None
    good = [row for row in listed if row is not None]
    totals = {dimension: sum(row[dimension] for row in good) for dimension in dimensions}
    n = len(good)
    return Means(
        successful=n,
        failed=len(listed) - n,
        dimensions={dimension: Fraction(total, n) for dimension, total in totals.items()} if n else {},
        overall=Fraction(sum(totals.values()), n * len(dimensions)) if n else None,
    )
