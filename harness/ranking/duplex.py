"""Track 2: the delay score of a frozen cohort, and totals from the rounded parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from harness.challenge.duplex import DuplexRules, DuplexTotals
from harness.challenge.spec import Challenge, Track
from harness.documents.duplex import delay_notes
from harness.documents.leaderboard import Behind
from harness.documents.report import ITEM_STATES, ScoreReport
from harness.errors import UsageError
from harness.ranking.duplex_parts import GROUPS, DuplexParts, duplex_parts, rounded
from harness.ranking.final import Phase
from harness.ranking.placing import Placing
from harness.ranking.rounding import half_up

_PRECISE = Context(prec=60)
_NAMED = 3
_BESIDE_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Cohort:
    """The two delays that the delay score is measured between, in seconds: the smallest and the baseline's."""

    fastest_s: Fraction
    baseline_s: Fraction


def cohort_of(delays_s: Iterable[Fraction], baseline_s: Fraction) -> Cohort:
    """``delays_s`` are those of all ranked systems. Raises UsageError (E_COHORT) when the score is not defined: a
    delay that is not positive, or a baseline that nobody is faster than."""
    fastest = min([baseline_s, *delays_s])
    if fastest <= 0:
        raise _undefined(f"a total delay of {half_up(fastest, 3)} s is not positive")
    if fastest == baseline_s:
        raise _undefined(f"no system is faster than the baseline ({half_up(baseline_s, 3)} s)")
    return Cohort(fastest, baseline_s)


def delay_score(delay_s: Fraction, cohort: Cohort, totals: DuplexTotals) -> Fraction:
    """100 − (100 − baseline points)·ln(L/Lmin)/ln(Lbase/Lmin), rounded half up to the score's places.

    The logarithms are taken with 60 digits, far more than the rounding can see.
    """
    if delay_s <= 0:
        raise _undefined(f"a total delay of {half_up(delay_s, 3)} s is not positive")
    share = _PRECISE.divide(_ln(delay_s / cohort.fastest_s), _ln(cohort.baseline_s / cohort.fastest_s))
    score = 100 - (100 - totals.baseline_points) * Fraction(share)
    if totals.clamp_delay_score:
        score = min(max(score, Fraction(0)), Fraction(100))
    return rounded(score, totals.score_decimals)


def _ln(ratio: Fraction) -> Decimal:
    return _PRECISE.ln(_PRECISE.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)))


def total_score(interruption: Fraction, rejection: Fraction, delay: Fraction, totals: DuplexTotals) -> Fraction:
    """The weighted sum of the rounded parts, itself rounded: that figure is the score."""
    weights = totals.weights
    exact = weights["interruption"] * interruption + weights["rejection"] * rejection + weights["delay"] * delay
    return rounded(exact, totals.score_decimals)


def place_duplex(reports: Sequence[ScoreReport], challenge: Challenge, track: Track, phase: Phase) -> list[Placing]:
    """The placing of each report. One that lacks a part has no final and says which.

    Raises UsageError: E_COHORT when the delay score is not defined for this cohort (no baseline, a baseline without
    a delay, nobody faster than it), E_CONFIG without full-duplex rules; MachineError (E_SCORE).
    """
    rules = challenge.duplex
    if rules is None or rules.track != track.id:
        raise UsageError(
            f"{challenge.id} has no [duplex] table for {track.id}", code="E_CONFIG", hint="pass another spec"
        )
    parts = {report.team: duplex_parts(report, challenge.languages, rules) for report in reports}
    cohort = _cohort(reports, parts)
    beside = {report.team: _beside(report, challenge.languages) for report in reports}
    columns = sorted({column for found in beside.values() for column in found})
    return [
        _place(
            report,
            parts[report.team],
            {column: beside[report.team].get(column) for column in columns},
            cohort,
            challenge.languages,
            rules,
        )
        for report in reports
    ]


def _beside(report: ScoreReport, languages: Sequence[str]) -> dict[str, Fraction | None]:
    """What stands beside the ranking and moves nothing: means over the languages that have one."""
    means: dict[str, list[Fraction]] = {}
    for language in languages:
        plain = report.measures.get(language)
        unranked = plain.get("unranked") if isinstance(plain, dict) else None
        for name, each in (unranked if isinstance(unranked, dict) else {}).items():
            mean = each.get("mean") if isinstance(each, dict) else None
            if isinstance(mean, float):
                means.setdefault(f"unranked.{name}", []).append(Fraction(Decimal(repr(mean))))
    return {column: sum(found, Fraction(0)) / len(found) for column, found in means.items()}


def _cohort(reports: Sequence[ScoreReport], parts: dict[str, DuplexParts]) -> Cohort:
    baselines = [report.team for report in reports if report.baseline]
    if len(baselines) != 1:
        found = f"{len(baselines)} are" if baselines else "none is"
        raise _undefined(f"it is measured against one baseline, and {found} among the reports")
    baseline_s = parts[baselines[0]].delay_s
    if baseline_s is None:
        raise _undefined(f"the baseline lacks {_few(parts[baselines[0]].missing)}")
    ranked = [parts[report.team].delay_s for report in reports if report.complete and not report.late]
    return cohort_of([delay for delay in ranked if delay is not None], baseline_s)


def _place(
    report: ScoreReport,
    parts: DuplexParts,
    beside: dict[str, Fraction | None],
    cohort: Cohort,
    languages: Sequence[str],
    rules: DuplexRules,
) -> Placing:
    totals = rules.totals
    columns: dict[str, Fraction | None] = {}
    for group in GROUPS:
        columns |= {f"{group}.{language}": parts.groups[group][language] for language in languages}
        columns[group] = parts.total(group, totals.score_decimals)
    columns["total_delay_s"] = parts.delay_s
    columns["delay_score"] = None if parts.delay_s is None else delay_score(parts.delay_s, cohort, totals)
    interruption, rejection, delay = (columns[name] for name in (*GROUPS, "delay_score"))
    final = None
    if report.complete and interruption is not None and rejection is not None and delay is not None:
        final = total_score(interruption, rejection, delay, totals)
    return Placing(
        report=report,
        final=final,
        languages=dict.fromkeys(languages),
        columns={**columns, **beside},
        decimals={
            **dict.fromkeys(columns, totals.score_decimals),
            "total_delay_s": totals.delay_decimals,
            **dict.fromkeys(beside, _BESIDE_DECIMALS),
        },
        behind=_behind(report, languages, rules),
        notes=tuple(_notes(report, parts)),
    )


def _notes(report: ScoreReport, parts: DuplexParts) -> Iterable[str]:
    if parts.missing:
        yield f"no final score, not measured: {_few(parts.missing)}"
    yield from delay_notes(report.measures)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _behind(report: ScoreReport, languages: Sequence[str], rules: DuplexRules) -> dict[str, Behind]:
    """How many inputs stand behind each scenario's value, and what became of all outputs, where the report says it."""
    found = {}
    for language in languages:
        plain = report.measures.get(language)
        counted = plain.get("n") if isinstance(plain, dict) else None
        for group in GROUPS:
            counts = counted.get(group) if isinstance(counted, dict) else None
            for scenario in rules.scenarios(group):
                n = counts.get(scenario) if isinstance(counts, dict) else None
                if isinstance(n, int) and _is_count(n):
                    found[f"{language}.{group}.{scenario}"] = Behind(n, {})
        states = plain.get("outputs") if isinstance(plain, dict) else None
        if isinstance(states, dict):
            named = {"scored" if state == "ok" else state: n for state, n in states.items() if _is_count(n)}
            kept: dict[str, int] = {state: named[state] for state in ITEM_STATES if state in named}
            found[f"{language}.outputs.all"] = Behind(sum(kept.values()), kept)
    return found


def _is_count(n: object) -> bool:
    return isinstance(n, int) and not isinstance(n, bool)


def _undefined(why: str) -> UsageError:
    return UsageError(
        f"the delay score is not defined: {why}",
        code="E_COHORT",
        hint="tabulate all teams with the organisers' baseline (`humdial score --baseline`); its delay is worth the "
        "baseline's points and must not be the smallest",
    )
