"""From measured pairs to the figures of one language, under one policy: pure and exact.

Policy published takes means over what was measured. Policy strict closes its holes: an output that is missing,
unreadable or silent, or that speaks too early, stays in the denominator with the longest time that its input allows,
and is never a success. Under both, nothing to average is missing, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from harness.challenge.duplex import DuplexCase, DuplexRules
from harness.documents.duplex import DuplexInput
from harness.duplex.behaviour import Label
from harness.duplex.delays import DelayRule, Mean, exact
from harness.duplex.timing import PairTiming

OutputState = Literal["ok", "missing", "silent", "invalid"]


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """One input with what its output is worth. ``timing`` is None where it was not measured, ``delay_s`` None where
    nothing was recognised; ``transcribed`` says whether anybody listened for words. ``labels`` is None where nobody
    judged."""

    item: DuplexInput
    state: OutputState
    timing: PairTiming | None = None
    transcribed: bool = False
    delay_s: Fraction | None = None
    labels: tuple[Label, ...] | None = None

    @property
    def spoke(self) -> bool:
        return self.state == "ok"


def delay_rule(case: DuplexCase) -> DelayRule:
    return DelayRule(case.reference, case.keeps_zero)


def language_measures(pairs: Sequence[MeasuredPair], rules: DuplexRules, policy: str) -> dict[str, Any]:
    """The report's measures of one language: values as ratios, delays in seconds, ``n`` behind each, ``exact`` means
    as fractions, and how many outputs ended in each state."""
    strict = policy == "strict"
    found: dict[str, Any] = {
        name: {}
        for name in ("interruption", "rejection", "stop_latency_s", "response_latency_s", "first_response_delay_s")
    }
    counted: dict[str, Any] = {name: {} for name in found}
    fractions: dict[str, Any] = {name: {} for name in found if name.endswith("_s")}
    for scenario in rules.scenarios():
        cases = rules.cases_of(scenario)
        members = [[pair for pair in pairs if rules.case(pair.item.scenario, pair.item.part) == case] for case in cases]
        group = cases[0].group
        values = [_value(mine, case, rules, strict) for case, mine in zip(cases, members, strict=True)]
        found[group][scenario] = _joined([value for value, _ in values], rules.totals.value_decimals)
        counted[group][scenario] = sum(n for _, n in values)
        means = {"first_response_delay_s": [_delay(m, c, strict) for c, m in zip(cases, members, strict=True)]}
        if group == "interruption":
            means["stop_latency_s"] = [_latency(mine, "stop", strict) for mine in members]
            means["response_latency_s"] = [_latency(mine, "response", strict) for mine in members]
        for name, each in means.items():
            mean = _mean_of(each)
            found[name][scenario] = None if mean is None else _figure(mean)
            counted[name][scenario] = sum(one.n for one in each)
            if mean is not None:
                fractions[name][scenario] = str(mean)
    states = Counter(pair.state for pair in pairs)
    return {**found, "n": counted, "exact": fractions, "outputs": dict(sorted(states.items()))}


def stopped_share(pairs: Iterable[MeasuredPair]) -> tuple[int, int]:
    """Of all stop intervals, in how many the model fell silent before the user did; and how many there are."""
    stopped = total = 0
    for pair in pairs:
        if pair.timing is not None:
            ends = {round(end, 3) for _, end in pair.timing.user}
            stopped += sum(end not in ends for _, end in pair.timing.stop)
            total += len(pair.timing.stop)
    return stopped, total


def _figure(value: Fraction) -> float:
    """Six decimals to read; the exact mean stands beside it."""
    return float(round(value, 6))


def _joined(values: Sequence[Fraction | None], decimals: int) -> float | None:
    """A scenario's value: the mean of its parts, rounded half up."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return float(_half_up(sum(known, Fraction(0)) / len(known), decimals))


def _half_up(value: Fraction, decimals: int) -> Fraction:
    scale = 10**decimals
    return Fraction((2 * value.numerator * scale + value.denominator) // (2 * value.denominator), scale)


def _mean_of(means: Sequence[Mean]) -> Fraction | None:
    """The mean of a scenario's parts, each an exact mean; None when one has nothing behind it."""
    known = [mean.value for mean in means if mean.value is not None]
    return sum(known, Fraction(0)) / len(known) if known and len(known) == len(means) else None


def _value(
    pairs: Sequence[MeasuredPair], case: DuplexCase, rules: DuplexRules, strict: bool
) -> tuple[Fraction | None, int]:
    return _rejection(pairs, strict) if case.value == "rejection" else _share(pairs, case, rules, strict)


def _rejection(pairs: Sequence[MeasuredPair], strict: bool) -> tuple[Fraction | None, int]:
    if strict and any(pair.spoke and not pair.transcribed for pair in pairs):
        return None, 0
    counted = pairs if strict else [pair for pair in pairs if pair.delay_s is not None]
    hits = sum(pair.delay_s is not None and pair.delay_s > 0 for pair in counted)
    return (Fraction(hits, len(counted)) if counted else None), len(counted)


def _share(
    pairs: Sequence[MeasuredPair], case: DuplexCase, rules: DuplexRules, strict: bool
) -> tuple[Fraction | None, int]:
    """The share of the wanted label. Strict counts every input once, and waits while one is not judged."""
    if strict:
        if any(pair.spoke and pair.labels is None for pair in pairs):
            return None, 0
        hits = sum(pair.spoke and pair.labels == (case.value,) for pair in pairs)
        total = len(pairs)
    else:
        labels = [label for pair in pairs if pair.labels is not None for label in pair.labels]
        hits, total = labels.count(case.value), len(labels)  # type: ignore[arg-type]
    if not total:
        return None, 0
    ratio = Fraction(hits, total)
    if strict:
        return _half_up(ratio, rules.totals.label_decimals), total
    return Fraction(repr(round(float(ratio), rules.totals.label_decimals))), total  # as the published scripts print


def _delay(pairs: Sequence[MeasuredPair], case: DuplexCase, strict: bool) -> Mean:
    rule = delay_rule(case)
    if strict and any(pair.spoke and not pair.transcribed for pair in pairs):
        return Mean(None, 0)
    kept = []
    for pair in pairs:
        if pair.delay_s is not None and rule.keeps(pair.delay_s):
            kept.append(pair.delay_s)
        elif strict:
            kept.append(_longest(pair.item, case.reference))
    return Mean.of(kept)


def _latency(pairs: Sequence[MeasuredPair], which: Literal["stop", "response"], strict: bool) -> Mean:
    """Pooled over all intervals of all files. Strict gives an output that says nothing the longest one its input
    allows: the whole interruption, or all the time after it; that time also to one that says nothing after the user's
    last words."""
    lengths = []
    for pair in pairs:
        if pair.timing is not None:
            lengths += [exact(end) - exact(start) for start, end in getattr(pair.timing, which)]
            if strict and which == "response" and _falls_silent(pair.timing):
                lengths.append(_longest(pair.item, -1))
        if strict and not pair.spoke:
            last = pair.item.annotation.segments[-1]
            whole = exact(last.end_s) - exact(last.start_s)
            lengths.append(whole if which == "stop" else _longest(pair.item, -1))
    return Mean.of(lengths)


def _falls_silent(timing: PairTiming) -> bool:
    """Whether the model says nothing from the end of the user's last words on."""
    return bool(timing.user) and all(end <= timing.user[-1][1] for _, end in timing.model)


def _longest(item: DuplexInput, reference: int) -> Fraction:
    """From the end of the segment that a time runs from to the end of the input."""
    return max(exact(item.annotation.duration_s) - exact(item.annotation.segments[reference].end_s), Fraction(0))
