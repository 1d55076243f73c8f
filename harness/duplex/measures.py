"""From measured pairs to the figures of one language, under one policy: pure and exact.

Policy published takes means over what was measured. Policy strict closes its holes: an output that is missing,
unreadable or silent, or that speaks too early, stays in the denominator with the longest time that its input allows
(at least the spec's ``unanswered_s``), and is never a success. Under both, nothing to average is missing, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from harness.challenge.duplex import DuplexCase, DuplexRules
from harness.documents.duplex import DuplexInput
from harness.duplex.behaviour import Label, label_shares, read_label
from harness.duplex.delays import DelayRule, Mean, exact
from harness.duplex.timing import PairTiming

OutputState = Literal["ok", "missing", "silent", "invalid"]


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """One input with what its output is worth. ``timing`` is None where it was not measured (of an output that is not
    there, it is the user's side alone), ``delay_s`` None where nothing was recognised; ``transcribed`` says whether
    anybody listened for words. ``labels`` is None where nobody judged."""

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
        values = [case_value(mine, case, rules, policy) for case, mine in zip(cases, members, strict=True)]
        found[group][scenario] = _joined([value for value, _ in values], rules.totals.value_decimals)
        counted[group][scenario] = sum(n for _, n in values)
        first = [first_response(mine, case, rules, policy) for case, mine in zip(cases, members, strict=True)]
        means = {"first_response_delay_s": first}
        if group == "interruption":
            means["stop_latency_s"] = [latency(mine, "stop", rules, policy) for mine in members]
            means["response_latency_s"] = [latency(mine, "response", rules, policy) for mine in members]
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


def case_value(
    pairs: Sequence[MeasuredPair], case: DuplexCase, rules: DuplexRules, policy: str
) -> tuple[Fraction | None, int]:
    """What a case is worth, from 0 to 1, and how many stand behind it: the share of its label or its rejection rate.
    None, 0 when there is nothing to count."""
    if case.value == "rejection":
        return rejection_rate(pairs, strict=policy == "strict")
    return label_share(pairs, case, rules, strict=policy == "strict")


def rejection_rate(pairs: Sequence[MeasuredPair], *, strict: bool) -> tuple[Fraction | None, int]:
    """Of the outputs in which something was recognised (strict: of all), those whose first word comes after the
    reference segment."""
    if strict and any(pair.spoke and not pair.transcribed for pair in pairs):
        return None, 0
    counted = pairs if strict else [pair for pair in pairs if pair.delay_s is not None]
    hits = sum(pair.delay_s is not None and pair.delay_s > 0 for pair in counted)
    return (Fraction(hits, len(counted)) if counted else None), len(counted)


def label_share(
    pairs: Sequence[MeasuredPair], case: DuplexCase, rules: DuplexRules, *, strict: bool
) -> tuple[Fraction | None, int]:
    """The share of the wanted label. Strict counts every input once, and waits while one is not judged."""
    decimals = rules.totals.label_decimals
    if not strict:
        shares = label_shares(pair.labels for pair in pairs if pair.labels is not None)
        ratio = shares.ratio(read_label(case.value))
        # As the published scripts print it: a float, rounded half to even.
        return (None if ratio is None else Fraction(repr(round(float(ratio), decimals)))), shares.total
    if not pairs or any(pair.spoke and pair.labels is None for pair in pairs):
        return None, 0
    hits = sum(pair.spoke and pair.labels == (case.value,) for pair in pairs)
    return _half_up(Fraction(hits, len(pairs)), decimals), len(pairs)


def first_response(pairs: Sequence[MeasuredPair], case: DuplexCase, rules: DuplexRules, policy: str) -> Mean:
    """The mean first response delay of one case."""
    rule, strict = delay_rule(case), policy == "strict"
    if strict and any(pair.spoke and not pair.transcribed for pair in pairs):
        return Mean(None, 0)
    kept = []
    for pair in pairs:
        if pair.delay_s is not None and rule.keeps(pair.delay_s):
            kept.append(pair.delay_s)
        elif strict:
            kept.append(unanswered_s(pair.item, case.reference, rules))
    return Mean.of(kept)


def latency(pairs: Sequence[MeasuredPair], which: Literal["stop", "response"], rules: DuplexRules, policy: str) -> Mean:
    """Pooled over all intervals of all files. Strict gives an output that says nothing the longest one its input
    allows: the whole interruption, or all the time after it; that time also to one that says nothing after the user's
    last words."""
    lengths = []
    for pair in pairs:
        if pair.timing is not None:
            lengths += [exact(end) - exact(start) for start, end in getattr(pair.timing, which)]
        if policy == "strict":
            lengths += _owed(pair, which, rules)
    return Mean.of(lengths)


def _owed(pair: MeasuredPair, which: Literal["stop", "response"], rules: DuplexRules) -> list[Fraction]:
    """The interval that a silence stands for; none where the output speaks. Noise without speech is silence."""
    timing, last = pair.timing, pair.item.annotation.segments[-1]
    mute = not pair.spoke or (timing is not None and not timing.model)
    if which == "stop":
        # As long as for one who talks on: by the annotation, or as it was heard.
        whole = [(last.start_s, last.end_s), *(timing.user[-1:] if timing is not None else ())]
        return [max(exact(end) - exact(start) for start, end in whole)] if mute else []
    quits = timing is not None and bool(timing.user) and all(end <= timing.user[-1][1] for _, end in timing.model)
    return [unanswered_s(pair.item, -1, rules)] if mute or quits else []


def unanswered_s(item: DuplexInput, reference: int, rules: DuplexRules) -> Fraction:
    """What no answer counts with: the time from the end of the segment that delays run from to the end of the input.
    An input that ends with the user's words leaves none, and that would be the fastest answer of all: so never less
    than the spec says."""
    left = exact(item.annotation.duration_s) - exact(item.annotation.segments[reference].end_s)
    return max(left, exact(rules.unanswered_s))
