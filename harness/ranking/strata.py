"""Scores of all teams as integer matrices, a stratum (task and language) at a time: what the bootstrap draws from.

The dialogue is what is drawn, so whatever one dialogue adds to a term of the final is summed first. Everything is an
integer: counts of draws times scores are exact in floating point as long as they stay below 2^53, whatever the order
in which a library adds them up, and so the same inputs give the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.challenge.spec import Challenge, Track
from harness.documents.items import CellKey, Scores
from harness.errors import MachineError
from harness.ranking.final import Cell, Phase
from harness.ranking.placing import Placing

_EXACT = 2**53
# Above this common denominator (means over up to ten raters need 2,520) scores are rounded to it.
_FINEST = 10**6
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """One term of one team's final in one language. ``rows`` are rows of the stratum's matrix.

    ``n`` is set where every used dimension counts every dialogue: then rows[0] is the dialogues' summed contribution,
    and the value of a draw is its total over ``n`` (dialogues, times dimensions, times the common denominator).
    Otherwise ``rows`` are pairs of a dimension's scores and its counts, and ``scale`` is the common denominator.
    """

    team: int
    term: str
    rows: tuple[int, ...]
    n: int | None
    scale: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """``matrix`` is (rows, dialogues), integers as float64; ``dialogues`` are sorted."""

    language: str
    task: str
    dialogues: tuple[str, ...]
    matrix: Matrix
    shares: tuple[Share, ...]


def terms_of(challenge: Challenge, track: Track) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each term of the final: its task and dimensions. A term is a task or "task.dimension"."""
    found = {}
    for term in track.terms:
        task, _, dimension = term.partition(".")
        found[term] = (task, (dimension,) if dimension else challenge.tasks[task].dimension_ids())
    return found


def strata(
    placings: Sequence[Placing], items: Mapping[str, Scores], challenge: Challenge, track: Track, phase: Phase
) -> list[Stratum]:
    """The strata of the track, in the order of the spec, for placings that all have items.

    Raises MachineError (E_SCORE) when a team's items do not add up to its report.
    """
    human = track.human.get(phase, ())
    terms = terms_of(challenge, track)
    found = []
    for language in track.language_weights:
        for task in dict.fromkeys(task for task, _ in terms.values()):
            mine = {term: dimensions for term, (of, dimensions) in terms.items() if of == task}
            keys: dict[str, CellKey] = {
                name: (language, task, name, f"{task}.{name}" in human or task in human)
                for dimensions in mine.values()
                for name in dimensions
            }
            found.append(_stratum(placings, items, mine, keys, language, task))
    return found


def _stratum(
    placings: Sequence[Placing],
    items: Mapping[str, Scores],
    terms: Mapping[str, tuple[str, ...]],
    keys: Mapping[str, CellKey],
    language: str,
    task: str,
) -> Stratum:
    dialogues = sorted(
        {
            dialogue
            for place in placings
            for key in keys.values()
            for dialogue, score in items[place.report.team].get(key, {}).items()
            if score is not None
        }
    )
    rows: list[Sequence[int]] = []
    shares: list[Share] = []
    for team, place in enumerate(placings):
        for term, dimensions in terms.items():
            used = [name for name in dimensions if place.columns.get(f"{language}.{task}.{name}") is not None]
            if used:
                cells = [items[place.report.team].get(keys[name], {}) for name in used]
                for name, cell in zip(used, cells, strict=True):
                    _refuse_contradiction(place, (language, task, name), cell, by_raters=keys[name][3])
                shares.append(_share(rows, team, term, cells, dialogues))
    matrix = np.array(rows, dtype=np.float64).reshape(len(rows), len(dialogues))
    if rows and np.abs(matrix).max(initial=0) * len(dialogues) >= _EXACT:
        raise MachineError(
            f"the scores of {language} {task} are too fine for exact sums", code="E_SCORE", hint="score again"
        )
    return Stratum(language, task, tuple(dialogues), matrix, tuple(shares))


def _share(
    rows: list[Sequence[int]],
    team: int,
    term: str,
    cells: Sequence[Mapping[str, int | Fraction | None]],
    dialogues: Sequence[str],
) -> Share:
    values = [[cell.get(dialogue) for dialogue in dialogues] for cell in cells]
    scale, whole = _whole(values)
    start = len(rows)
    if not any(None in row for row in whole):
        rows.append([sum(column) for column in zip(*whole, strict=True)])
        return Share(team, term, (start,), len(dialogues) * len(cells) * scale, scale)
    for row in whole:
        rows.append([score or 0 for score in row])
        rows.append([score is not None for score in row])
    return Share(team, term, tuple(range(start, len(rows))), None, scale)


def _whole(values: list[list[int | Fraction | None]]) -> tuple[int, list[list[Any]]]:
    """The scores' common denominator, and the scores times it. Marks of a judge are integers already."""
    if {type(score) for row in values for score in row} <= {int, NoneType}:
        return 1, values
    scale = min(_FINEST, math.lcm(*{score.denominator for row in values for score in row if score is not None}))
    return scale, [[None if score is None else round(score * scale) for score in row] for row in values]


def _refuse_contradiction(
    place: Placing, cell: Cell, scores: Mapping[str, int | Fraction | None], *, by_raters: bool
) -> None:
    language, task, name = cell
    mean = place.columns[".".join(cell)]
    counted = [score for score in scores.values() if score is not None]
    total = sum(counted, 0)
    typed_in = not any(
        entry.sum is not None
        for entry in place.report.dimensions
        if (entry.language, entry.task, entry.dimension, entry.source == "human") == (*cell, by_raters)
    )
    tolerance = Fraction(1, 200) if typed_in else 0
    if mean is None or not counted or abs(Fraction(total) / len(counted) - mean) > tolerance:
        raise MachineError(
            f"the items of {place.report.team} do not add up to its report: {language} {task}.{name}",
            code="E_SCORE",
            hint="score that team again; stored reports and items must not be edited",
        )
