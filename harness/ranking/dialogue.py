"""Tracks of marked dialogues: weighted means of dimensions, each report for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from harness.challenge.spec import Challenge, Track
from harness.documents.leaderboard import Behind
from harness.documents.report import ScoreReport
from harness.ranking.final import Phase, Standing, standing
from harness.ranking.placing import Placing


def place_dialogues(reports: Sequence[ScoreReport], challenge: Challenge, track: Track, phase: Phase) -> list[Placing]:
    """The placing of each report; one whose judgements wait has its means, but no finals.

    Raises MachineError (E_SCORE) and UsageError (E_USAGE, E_DOCUMENT) as `standing` does.
    """
    return [_place(report, standing(report, challenge, track, phase), challenge, track, phase) for report in reports]


def _place(report: ScoreReport, found: Standing, challenge: Challenge, track: Track, phase: Phase) -> Placing:
    return Placing(
        report=report,
        final=found.final if report.complete else None,
        languages=found.languages if report.complete else dict.fromkeys(found.languages),
        columns=_columns(found, challenge, track),
        missing_weight=found.missing_weight,
        behind=_behind(report, found, track, phase),
        notes=tuple(_notes(found, phase)),
    )


def _columns(place: Standing, challenge: Challenge, track: Track) -> dict[str, Fraction | None]:
    """Every weighted dimension's mean, and the average of each task whose dimensions all count (None while one of
    them has no mean)."""
    columns: dict[str, Fraction | None] = {}
    for language in track.language_weights:
        for task in challenge.tasks_of(track.id):
            cells = [(language, task.id, name) for name in task.dimension_ids()]
            present = [cell for cell in cells if cell in place.means]
            for cell in present:
                columns[".".join(cell)] = place.means[cell]
            if cells and present == cells:
                known = [mean for cell in cells if (mean := place.means[cell]) is not None]
                whole = len(known) == len(cells)
                columns[f"{language}.{task.id}.avg"] = sum(known, Fraction(0)) / len(known) if whole else None
    return columns


def _behind(report: ScoreReport, place: Standing, track: Track, phase: Phase) -> dict[str, Behind]:
    human = track.human.get(phase, ())
    entries = {(e.language, e.task, e.dimension, e.source == "human"): e for e in report.dimensions}
    found = {}
    for language, task, name in place.means:
        entry = entries.get((language, task, name, f"{task}.{name}" in human or task in human))
        if entry is not None:
            found[f"{language}.{task}.{name}"] = Behind(entry.n, dict(entry.counts))
    return found


def _notes(place: Standing, phase: Phase) -> Iterable[str]:
    if place.missing_weight:
        named = ", ".join(place.missing_weight)
        yield f"no final score, not scored: {named}" if phase == "final" else f"provisional, not judged: {named}"
