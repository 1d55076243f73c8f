"""The exact final of one team from its report, by the track's weights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from harness.challenge.spec import Challenge, Track
from harness.documents.report import DimensionScore, ScoreReport
from harness.errors import MachineError, UsageError

Phase = Literal["auto", "final"]
Cell = tuple[str, str, str]  # language, task, dimension
_EXACT = re.compile(r"-?[0-9]{1,40}(/[1-9][0-9]{0,40})?")


@dataclass(frozen=True, slots=True)
class Standing:
    """What one report is worth in one phase, exactly.

    ``means`` has every cell that carries weight (None: nobody judged it) and ``final`` and ``languages`` the weighted
    means. In phase ``auto`` they are over the judged cells with their weights scaled to 1, and ``missing_weight``
    says what is not in them ("task.dimension": share of the whole). In phase ``final`` a missing cell leaves None.
    """

    means: dict[Cell, Fraction | None]
    languages: dict[str, Fraction | None]
    final: Fraction | None
    missing_weight: dict[str, Fraction]


def cell_weights(challenge: Challenge, track: Track) -> dict[Cell, Fraction]:
    """How much every dimension counts in every language; they add up to 1. A task's weight is shared evenly by its
    dimensions, for its term is the mean of their means. Raises UsageError (E_USAGE) for a track without weights."""
    if not track.terms or not track.language_weights:
        raise UsageError(
            f"{track.id} has no weights for a final score in {challenge.id}",
            code="E_USAGE",
            hint="pass --track with a track that `humdial challenge show` prints weights for",
        )
    weights: dict[Cell, Fraction] = {}
    for language, share in track.language_weights.items():
        for task in challenge.tasks_of(track.id):
            names = task.dimension_ids()
            for name in names:
                weight = track.terms.get(task.id, Fraction(0)) / len(names)
                weight += track.terms.get(f"{task.id}.{name}", Fraction(0))
                if weight:
                    weights[language, task.id, name] = share * weight
    return weights


def exact_mean(entry: DimensionScore) -> Fraction | None:
    """sum/n, or the mean read as a decimal where there is no sum; None where nobody judged.

    Raises MachineError (E_SCORE) for a NaN, an infinity, a bool or a sum that is no fraction.
    """
    if entry.mean is not None and (isinstance(entry.mean, bool) or not math.isfinite(entry.mean)):
        raise _no_score(entry, f"its mean is {entry.mean!r}")
    if entry.sum is not None and not _is_exact(entry.sum):
        raise _no_score(entry, f"its sum is {entry.sum!r}")
    if entry.mean is None or entry.counts.get("not_judged", 0):
        return None
    if entry.sum is None:
        return Fraction(Decimal(repr(entry.mean)))
    if entry.n <= 0:
        raise _no_score(entry, f"it has a sum over {entry.n} items")
    return Fraction(entry.sum) / entry.n


def _is_exact(total: int | str) -> bool:
    if isinstance(total, str):
        return _EXACT.fullmatch(total) is not None
    return type(total) is int


def _no_score(entry: DimensionScore, what: str) -> MachineError:
    return MachineError(
        f"a stored score is no number: {entry.language} {entry.task}.{entry.dimension}, {what}",
        code="E_SCORE",
        hint="score that team again; stored reports must not be edited",
    )


def standing(report: ScoreReport, challenge: Challenge, track: Track, phase: Phase) -> Standing:
    """The report's finals in ``phase``. Raises MachineError (E_SCORE), UsageError (E_USAGE, E_DOCUMENT)."""
    weights = cell_weights(challenge, track)
    means = _means(report, challenge, track, phase, weights)
    missing: dict[str, Fraction] = {}
    for (language, task, name), mean in means.items():
        if mean is None:
            label = f"{task}.{name}"
            missing[label] = missing.get(label, Fraction(0)) + weights[language, task, name]
    languages = {
        language: _weighted({cell: mean for cell, mean in means.items() if cell[0] == language}, weights, phase)
        for language in track.language_weights
    }
    return Standing(means, languages, _weighted(means, weights, phase), missing)


def _means(
    report: ScoreReport, challenge: Challenge, track: Track, phase: Phase, weights: dict[Cell, Fraction]
) -> dict[Cell, Fraction | None]:
    entries = _entries(report)
    human = track.human.get(phase, ())
    unable = report.judge.not_judged if report.judge else ()
    means: dict[Cell, Fraction | None] = {}
    for language, task, name in weights:
        label = f"{task}.{name}"
        by_raters = label in human or task in human
        entry = entries.get((language, task, name, by_raters))
        unjudged = entry is None or (not by_raters and (label in unable or task in unable))
        mean = None if unjudged or entry is None else exact_mean(entry)
        scale = challenge.tasks[task].scale
        if entry is not None and mean is not None and not scale[0] <= mean <= scale[-1]:
            raise _no_score(entry, f"its mean {float(mean)} lies outside the scale")
        means[language, task, name] = mean
    return means


def _entries(report: ScoreReport) -> dict[tuple[str, str, str, bool], DimensionScore]:
    """Entries by cell and by whether human raters gave them."""
    found: dict[tuple[str, str, str, bool], DimensionScore] = {}
    for entry in report.dimensions:
        exact_mean(entry)  # refuses what is no number, also where it carries no weight
        key = (entry.language, entry.task, entry.dimension, entry.source == "human")
        if key in found:
            raise UsageError(
                f"the report of {report.team} has {entry.language} {entry.task}.{entry.dimension} twice",
                code="E_DOCUMENT",
                hint="keep one entry a dimension, language and source",
            )
        found[key] = entry
    return found


def _weighted(means: dict[Cell, Fraction | None], weights: dict[Cell, Fraction], phase: Phase) -> Fraction | None:
    judged = {cell: mean for cell, mean in means.items() if mean is not None}
    if not judged or (phase == "final" and len(judged) < len(means)):
        return None
    total = sum((weights[cell] for cell in judged), Fraction(0))
    return sum((weights[cell] * mean for cell, mean in judged.items()), Fraction(0)) / total
