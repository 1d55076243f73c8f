"""A score report for a person: each dimension with how many items stand behind it and what became of the rest."""

from __future__ import annotations

from fractions import Fraction

from tabulate import tabulate

from harness.documents.report import ITEM_STATES, DimensionScore, Evidence, ScoreReport
from harness.ranking.rounding import half_up
from harness.reporting.duplex_measures import measures_text
from harness.reporting.hostile_text import visible


def score_text(report: ScoreReport) -> str:
    """One row a dimension and language; means with two decimals, counts by state."""
    judge = report.judge
    rows = [
        (each.language, each.task, each.dimension, _mean(each), each.n, _counts(each)) for each in report.dimensions
    ]
    table = tabulate(rows, headers=("", "task", "dimension", "mean", "n", "items"), disable_numparse=True)
    shown = [table] if rows else measures_text(report.measures)
    lines = [f"{visible(report.team)}  policy {report.policy}", *shown]
    if judge is not None:
        official = "official" if judge.official else "not official"
        lines.append(f"judge {judge.profile} ({official}), fingerprint {judge.fingerprint[:19]}…")
    lines += [_evidence(each) for each in report.evidence]
    if report.review:
        lines.append("for review: " + ", ".join(f"{flag} {count}" for flag, count in report.review.items()))
    check = report.canaries
    if check is not None:
        lines.append(f"known-answer items: {check.n - len(check.out)} of {check.n} within their bands")
        lines += [f"  {visible(each)}" for each in check.out]
        if not check.passed:
            lines.append("the judge cannot be trusted: nothing is published until it is repaired [E_CANARY]")
    if not report.complete:
        lines.append("incomplete: judgements failed; run the same command again, nothing is published until then")
    return "\n".join(lines) + "\n"


def _mean(each: DimensionScore) -> str:
    if each.mean is None:
        return "–"
    exact = Fraction(str(each.mean)) if each.sum is None or not each.n else Fraction(str(each.sum)) / each.n
    return half_up(exact, 2)


def _evidence(each: Evidence) -> str:
    return f"{each.language} {each.task} {each.measure}: {each.mean:.2f} (n = {each.n}; not ranked)"


def _counts(each: DimensionScore) -> str:
    return ", ".join(f"{each.counts[state]} {state}" for state in ITEM_STATES if each.counts.get(state))
