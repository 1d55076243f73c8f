"""A score report for a person: each dimension with how many items stand behind it and what became of the rest."""

from __future__ import annotations

from fractions import Fraction

from tabulate import tabulate

from harness.documents.report import ITEM_STATES, DimensionScore, ScoreReport
from harness.ranking.rounding import half_up
from harness.reporting.hostile_text import visible


def score_text(report: ScoreReport) -> str:
    """One row a dimension and language; means with two decimals, counts by state."""
    judge = report.judge
    rows = [
        (each.language, each.task, each.dimension, _mean(each), each.n, _counts(each)) for each in report.dimensions
    ]
    table = tabulate(rows, headers=("", "task", "dimension", "mean", "n", "items"), disable_numparse=True)
    lines = [f"{visible(report.team)}  policy {report.policy}", table]
    if judge is not None:
        official = "official" if judge.official else "not official"
        lines.append(f"judge {judge.profile} ({official}), fingerprint {judge.fingerprint[:19]}…")
    if not report.complete:
        lines.append("incomplete: judgements failed; run the same command again, nothing is published until then")
    return "\n".join(lines) + "\n"


def _mean(each: DimensionScore) -> str:
    if each.mean is None:
        return "–"
    exact = Fraction(str(each.mean)) if each.sum is None or not each.n else Fraction(str(each.sum)) / each.n
    return half_up(exact, 2)


def _counts(each: DimensionScore) -> str:
    return ", ".join(f"{each.counts[state]} {state}" for state in ITEM_STATES if each.counts.get(state))
