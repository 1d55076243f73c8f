"""reference/metrics.md: every number of a table with its formula, the function that computes it, and a worked example
that is computed while this page is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from from_code.markdown import cell, code, fence, table
from harness.challenge.duplex import DuplexRules
from harness.challenge.evaluated_turn import evaluated_index
from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.challenge.text_rules import text_fault
from harness.documents.duplex import Annotation, DuplexInput, Segment, Transcript, Word
from harness.documents.report import ScoredItem
from harness.duplex.behaviour import Label
from harness.duplex.delays import DelayRule, first_response_delay_s
from harness.duplex.intervals import merge, response_intervals, stop_intervals
from harness.duplex.measures import MeasuredPair, label_share, latency, rejection_rate, unanswered_s
from harness.evaluation.projection import project
from harness.ranking.agreement import agreement
from harness.ranking.duplex import cohort_of, delay_score, total_score
from harness.ranking.duplex_parts import duplex_parts
from harness.ranking.final import cell_weights
from harness.ranking.rounding import half_up
from harness.ranking.uncertainty import doubt
from harness.scoring.aggregate import dimension_score
from harness.scoring.published import clamp, read_reply, snap
from harness.scoring.recognition import label_scores

SOURCE = "the functions that it names and the built-in challenge"


@dataclass(frozen=True, slots=True)
class Metric:
    """``formula`` in one line of text; ``example`` a call and what it gave."""

    title: str
    formula: str
    function: Callable[..., Any]
    example: tuple[str, object] | None = None


def pages() -> dict[str, str]:
    challenge = load_challenge()
    parts = [
        "# Metrics and formulas\n",
        "Every number below is computed by the function named beside it; what it says of itself is quoted. Means and finals are"
        " exact fractions until they are displayed. Examples were computed when this page was written. The numbers in the"
        " formulas are the built-in challenge's ([keys of a spec](spec.md)).\n",
        "## Track 1: what is marked\n",
        _dimensions(challenge),
        *(_section(each) for each in _track1(challenge)),
        "## Track 2: what is measured\n",
        _cases(challenge),
        *(_section(each) for each in _track2(challenge)),
        "## Both tracks\n",
        *(_section(each) for each in _both()),
    ]
    return {"metrics.md": "\n".join(parts)}


def _section(metric: Metric) -> str:
    place = f"{metric.function.__module__}.{metric.function.__qualname__}"
    quoted = "\n".join(f"> {line}".rstrip() for line in _paragraphs(inspect.getdoc(metric.function) or ""))
    if not quoted:
        raise ValueError(f"{place} says nothing of itself")
    lines = [f"### {metric.title}\n", fence(metric.formula, "text"), f"{code(place)} says:\n\n{quoted}\n"]
    if metric.example:
        call, result = metric.example
        lines.append(f"Worked example: {code(call)} = {code(_plain(result))}\n")
    return "\n".join(lines)


def _paragraphs(text: str) -> list[str]:
    return [cell(line.replace("``", "`")) for line in text.splitlines()]


def _plain(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value) if value.denominator < 10**6 else half_up(value, 6)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    return str(value)


# ------------------------------------------------------------------------------------------ track 1


def _dimensions(challenge: Challenge) -> str:
    rows = []
    human = set(challenge.tracks["track1"].human.get("final", ()))
    terms = challenge.tracks["track1"].terms
    for task in challenge.tasks_of("track1"):
        for name in task.dimension_ids():
            label = f"{task.id}.{name}"
            weight = terms.get(task.id, Fraction(0)) / len(task.dimension_ids()) + terms.get(label, Fraction(0))
            scale = ", ".join(map(str, task.scale))
            rows.append(
                (code(label), scale, "people" if label in human else "judge", cell(task.evaluated_turn), str(weight))
            )
    return table(("dimension", "marks", "marked in phase final by", "evaluated turn", "weight in a language"), rows)


def _track1(challenge: Challenge) -> Iterator[Metric]:
    task = challenge.tasks["task2"]
    scale, clamped = task.scale, challenge.tasks["task4"].scale
    emotions = ["neutral", "sad", "anger", "sad"]
    yield Metric(
        "Evaluated turn",
        "second_non_neutral: the second turn whose emotion, in lower case, is not the neutral one",
        evaluated_index,
        (
            f"evaluated_index({emotions}, 'second_non_neutral', 'neutral')",
            evaluated_index(emotions, "second_non_neutral", "neutral"),
        ),
    )
    yield Metric(
        "Floors of a reply's text",
        f"empty\n→ too_short (< {challenge.text.min_han} Han and < {challenge.text.min_words} words)\n→ echo (≥ {challenge.text.echo_similarity} % alike)"
        f"\n→ language_mismatch (Han share on the wrong side of {challenge.text.han_share})",
        text_fault,
        (
            "text_fault('I am fine, thank you.', None, 'zh', rules)",
            text_fault("I am fine, thank you.", None, "zh", challenge.text),
        ),
    )
    yield Metric(
        "A mark of a scale with gaps (policy published)",
        "the largest mark of the scale that is ≤ int(x), else the lowest",
        snap,
        (f"[snap(x, {list(scale)}) for x in (4.9, '5.0', 4)]", [snap(x, scale) for x in (4.9, "5.0", 4)]),
    )
    yield Metric(
        "A mark of a scale without gaps (policy published)",
        "int(x), held to the scale; what cannot be read is the lowest",
        clamp,
        (f"[clamp(x, {list(clamped)}) for x in (4.7, 9, None)]", [clamp(x, clamped) for x in (4.7, 9, None)]),
    )
    reply = '```json\n{"scores": {"Accuracy_Completeness": 5, "Depth_Granularity": 4, "Added_Value": "3/5"}}\n```'
    yield Metric(
        "A judge's whole reply (policy published)",
        "the first ```json block, else the fenced or the whole text; missing brackets are added at the end, once",
        read_reply,
        (f"read_reply({reply!r}, task2).scores", read_reply(reply, task).scores),
    )
    items = [_item(5, "scored"), _item(3, "scored"), _item(1, "missing")]
    strict = dimension_score(items, "task2", "zh", "Added_Value", challenge.policies["strict"])
    yield Metric(
        "Mean of a dimension",
        "sum of marks / n;  n = all but skipped, excluded, not_judged, not_rated (strict) or the scored ones (published)",
        dimension_score,
        ("sum and n of the marks 5, 3 and a missing item, strict", f"{strict.sum} and {strict.n}"),
    )
    track = challenge.tracks["track1"]
    terms = " + ".join(f"{weight}·{name}" for name, weight in track.terms.items())
    languages = " + ".join(f"{weight}·{name}" for name, weight in track.language_weights.items())
    weights = cell_weights(challenge, track)
    yield Metric(
        "Final of Track 1",
        f"language = {terms}\nfinal    = {languages}\n(a task counts as the mean of its dimensions' means)",
        cell_weights,
        ("cell_weights(challenge, track1)[zh, task2, Added_Value]", weights["zh", "task2", "Added_Value"]),
    )
    pairs = [("sad", "sad"), ("anger", "sad"), ("anger", "anger"), ("happy", "")]
    yield Metric(
        "Recognition of emotions (unranked)",
        "accuracy = hits / n;  F1 = 2·hits / (true + said), meant over labels;  UAR = mean of hits / true over true labels",
        label_scores,
        (f"label_scores({pairs})", label_scores(pairs)),
    )


def _item(score: int, state: str) -> ScoredItem:
    return ScoredItem("task2", "zh", "d", 1, "Added_Value", score, state, ())  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ track 2


def _cases(challenge: Challenge) -> str:
    assert challenge.duplex is not None
    rows = [(code(case.id), case.group, code(case.value), str(case.reference)) for case in challenge.duplex.cases]
    return table(("case", "sub-total", "its value is the share of", "delays run from the end of segment"), rows)


def _track2(challenge: Challenge) -> Iterator[Metric]:
    rules = challenge.duplex
    assert rules is not None
    totals = rules.totals
    user, model = [(0.0, 2.0), (3.0, 4.5)], [(2.4, 3.8), (5.1, 7.0)]
    yield Metric(
        "Stretches of speech",
        f"neighbours join when the pause is ≤ {rules.user_gap_s} s (user) or ≤ {rules.model_gap_s} s (model)",
        merge,
        ("merge([(0.0, 1.0), (1.4, 2.0), (3.0, 4.5)], 0.6)", merge([(0.0, 1.0), (1.4, 2.0), (3.0, 4.5)], 0.6)),
    )
    yield Metric(
        "Stop latency",
        "the length of every stretch in which both speak; mean over all of them in a scenario",
        stop_intervals,
        (f"stop_intervals({user}, {model})", stop_intervals(user, model)),
    )
    yield Metric(
        "Response latency",
        "next start of the model − end of a user's stretch; mean over all of them in a scenario",
        response_intervals,
        (f"response_intervals({user}, {model})", response_intervals(user, model)),
    )
    annotation = Annotation(8.0, (Segment(0.0, 2.0, "query"),))
    heard = Transcript("yes", (Word("yes", 2.4, 2.9),))
    yield Metric(
        "First response delay",
        "start of the first recognised word − end of the reference segment; kept when > 0 (backchannel: ≥ 0)",
        first_response_delay_s,
        ("first word at 2.4 s, segment ends at 2.0 s", first_response_delay_s(annotation, heard, DelayRule())),
    )
    yield from _policies(rules, DuplexInput("test-000001", "en", "pause", None, None, annotation))
    yield Metric(
        "Sub-totals and total delay",
        f"sub-total of a language = 100 · mean of its scenarios' values, {totals.score_decimals} place(s); of both = their mean, likewise\n"
        f"total delay = mean of three means over scenarios (stop, response, first response), {totals.delay_decimals} places, half up",
        duplex_parts,
    )
    cohort = cohort_of([Fraction("0.9"), Fraction("1.6")], Fraction("2.5"))
    scored = delay_score(Fraction("1.6"), cohort, totals)
    yield Metric(
        "Delay score",
        f"100 − {100 - totals.baseline_points}·ln(L / Lmin) / ln(Lbase / Lmin), {totals.score_decimals} place(s), half up",
        delay_score,
        ("L = 1.6 s, Lmin = 0.9 s, Lbase = 2.5 s", half_up(scored, totals.score_decimals)),
    )
    weights = totals.weights
    total = total_score(Fraction("79.3"), Fraction("72.2"), scored, totals)
    yield Metric(
        "Total of Track 2",
        f"{weights['interruption']}·interruption + {weights['rejection']}·rejection + {weights['delay']}·delay score, from the rounded parts",
        total_score,
        (f"79.3, 72.2 and {half_up(scored, totals.score_decimals)}", half_up(total, totals.score_decimals)),
    )


# ------------------------------------------------------------------------------------------ both


def _policies(rules: DuplexRules, item: DuplexInput) -> Iterator[Metric]:
    """What the two policies count differently."""
    delays = (Fraction(1, 2), Fraction(-1, 5), None)
    pairs = [MeasuredPair(item, "ok", transcribed=True, delay_s=delay) for delay in delays]
    for policy, formula in (
        ("published", "outputs with delay > 0 / outputs in which a word was recognised"),
        ("strict", "outputs with delay > 0 / inputs"),
    ):
        value, _ = rejection_rate(pairs, strict=policy == "strict")
        yield Metric(f"Rejection (policy {policy})", formula, rejection_rate, ("delays 0.5, −0.2 and none", value))
    labels: tuple[tuple[Label, ...], ...] = (("RESPOND",), ("RESUME",), ("RESPOND", "UNKNOWN"))
    judged = [MeasuredPair(item, "ok", labels=each) for each in labels]
    case = next(case for case in rules.cases if case.value == "RESPOND")
    for policy, formula in (
        ("published", "count of the wanted label / count of all labels"),
        ("strict", "inputs with the wanted label and no other / inputs"),
    ):
        value, _ = label_share(judged, case, rules, strict=policy == "strict")
        yield Metric(
            f"Behaviour (policy {policy})",
            f"{formula}, rounded to {rules.totals.label_decimals} places",
            label_share,
            ("share of RESPOND in RESPOND; RESUME; RESPOND, UNKNOWN", value),
        )
    yield Metric(
        "An answer that never came (policy strict)",
        f"the larger of the rest of the input and {rules.unanswered_s:g} s",
        unanswered_s,
        ("the query ends at 2.0 s of 8.0", unanswered_s(item, 0, rules)),
    )
    yield Metric(
        "Means of latencies",
        "the mean over all intervals of all outputs of a scenario; strict adds those that a silence stands for",
        latency,
        (
            "stop latency of one silent output whose last segment lasts 2 s, policy strict",
            latency([MeasuredPair(item, "silent")], "stop", rules, "strict").value,
        ),
    )


def _both() -> Iterator[Metric]:
    yield Metric(
        "Rounding",
        "half away from zero, once, at display",
        half_up,
        ("half_up(Fraction('2.825'), 2)", half_up(Fraction("2.825"), 2)),
    )
    yield Metric(
        "Intervals, rank intervals, groups, p",
        "paired bootstrap of dialogues: each draw takes as many dialogues of each task and language as there are;\n"
        "p = min(1, 2·(1 + draws in which the upper is not above the lower) / (1 + draws))",
        doubt,
    )
    yield Metric(
        "Agreement of raters", "Krippendorff's alpha, ordinal: 1 − observed / expected disagreement", agreement
    )
    projection = project([(4, 3.0), (8, 5.0), (16, 9.0)], 900, 14400.0)
    yield Metric(
        "Projected time of a run (`humdial precheck`)",
        "fixed cost + cost a dialogue · dialogues of the hidden set, by least squares; low and high from the jitter of each run",
        project,
        (
            "4, 8, 16 dialogues in 3, 5, 9 s; 900 dialogues",
            f"{projection.expected_s} s ({projection.low_s} to {projection.high_s})",
        ),
    )
