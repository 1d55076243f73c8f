"""Teams with reports and items, for the tests of tables, reports and ratings: reports whose every mean is known, and
items with marks near a quality."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from harness.challenge.load import load_challenge
from harness.documents.finding import ChallengeRef
from harness.documents.items import Scores
from harness.documents.report import DimensionScore, JudgeRef, ScoreReport
from harness.ranking.final import cell_weights

CHALLENGE = load_challenge()
TRACK = CHALLENGE.tracks["track1"]
HUMAN = TRACK.human["final"]
OFFICIAL = JudgeRef("qwen3-omni", "sha256:" + "a" * 64, True)
CELLS = list(cell_weights(CHALLENGE, TRACK))


def report(team: str, total: int | str = 30, n: int = 10, **more: Any) -> ScoreReport:
    """A report whose every dimension has the mean total/n, the human ones from raters and from the judge alike."""
    mean = float(Fraction(total) / n)
    entries = tuple(
        DimensionScore(task=t, language=lang, dimension=d, mean=mean, sum=total, n=n, source=s, counts={"scored": n})
        for (lang, t, d) in cell_weights(CHALLENGE, TRACK)
        for s in (("judge", "human") if f"{t}.{d}" in HUMAN else ("judge",))
    )
    values: dict[str, Any] = {
        "schema_version": 1,
        "team": team,
        "display_name": team.title(),
        "system": "one",
        "track": "track1",
        "policy": "strict",
        "challenge": ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
        "judge": OFFICIAL,
        "dimensions": entries,
    }
    return ScoreReport(**{**values, **more})


def team(name: str, quality: float, n: int = 30, seed: int | None = None, **more: Any) -> tuple[ScoreReport, Scores]:
    """A report with its items: marks near ``quality`` (0 to 1), from a seed of their own."""
    chance = random.Random(name if seed is None else seed)
    scores: Scores = {}
    for language, task, dimension in CELLS:
        scale = CHALLENGE.tasks[task].scale
        marks = [scale[min(len(scale) - 1, int(len(scale) * (quality + chance.random()) / 2))] for _ in range(n)]
        scores[language, task, dimension, False] = {f"d{i:03}": mark for i, mark in enumerate(marks)}
    return report_of(name, scores, **more), scores


def report_of(name: str, scores: Scores, **more: Any) -> ScoreReport:
    entries = []
    for (language, task, dimension, by_raters), cell in scores.items():
        counted = [score for score in cell.values() if score is not None]
        total = Fraction(sum(counted, 0))
        entries.append(
            DimensionScore(
                task=task,
                language=language,
                dimension=dimension,
                mean=float(total / len(counted)),
                sum=f"{total.numerator}/{total.denominator}",
                n=len(counted),
                source="human" if by_raters else "judge",
                counts={"scored": len(counted)},
            )
        )
    return report(name, dimensions=tuple(entries), **more)
