"""Finals: the published figures, the scaling of missing weights, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.finding import ChallengeRef
from harness.documents.report import DimensionScore, JudgeRef, ScoreReport
from harness.errors import MachineError, UsageError
from harness.ranking.final import cell_weights, exact_mean, standing
from harness.ranking.rounding import half_up

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
CHALLENGE = load_challenge()
TRACK = CHALLENGE.tracks["track1"]
VOICE = ("vocal_empathy_congruence", "audio_quality_naturalness")
CELLS = list(cell_weights(CHALLENGE, TRACK))


def entry(cell: tuple[str, str, str], total: int | None, n: int = 10, **more: Any) -> DimensionScore:
    language, task, dimension = cell
    values: dict[str, Any] = {"mean": None if total is None else total / n, "sum": total, "n": n, "source": "judge"}
    return DimensionScore(task=task, language=language, dimension=dimension, **{**values, **more})


def report(*entries: DimensionScore, judge: JudgeRef | None = None) -> ScoreReport:
    return ScoreReport(
        schema_version=1,
        team="alpha",
        display_name="Alpha",
        system="one",
        track="track1",
        policy="strict",
        challenge=ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
        judge=judge,
        dimensions=entries,
    )


def full(human: bool = False) -> list[DimensionScore]:
    return [
        entry(cell, 20 + place, source="human" if human and cell[2] in VOICE else "judge")
        for place, cell in enumerate(CELLS)
    ]


def test_the_published_weights_give_the_published_figures() -> None:
    cases = json.loads((VECTORS / "track1_final.json").read_text("utf-8"))["cases"]
    assert len(cases) == 50
    release = {f"t{number}": task for number, task in enumerate(("task2", "task3", "task4"), start=1)}
    for case in cases:
        entries = []
        for language, lists in case["in"].items():
            for name, marks in lists.items():
                task = CHALLENGE.tasks[release[name[:2]]]
                dimension = task.dimension_ids()[int(name[3]) - 1]
                entries.append(entry((language, task.id, dimension), sum(marks), len(marks)))
        place = standing(report(*entries), CHALLENGE, TRACK, "auto")
        wanted = case["out"]["ok"]
        assert place.final is not None and half_up(place.final, 2) == wanted["final"]
        for language in ("zh", "en"):
            final = place.languages[language]
            assert final is not None and half_up(final, 2) == wanted[language]["final"]
            for name in case["in"][language]:
                task = CHALLENGE.tasks[release[name[:2]]]
                mean = place.means[language, task.id, task.dimension_ids()[int(name[3]) - 1]]
                assert mean is not None and half_up(mean, 2) == wanted[language][name]


def test_weights_add_up_to_one() -> None:
    weights = cell_weights(CHALLENGE, TRACK)
    assert sum(weights.values()) == 1
    assert weights["zh", "task2", "Added_Value"] == Fraction(1, 30)
    assert weights["en", "task4", "vocal_empathy_congruence"] == Fraction(1, 8)


def test_a_track_without_weights_has_no_final() -> None:
    with pytest.raises(UsageError) as caught:
        cell_weights(CHALLENGE, CHALLENGE.tracks["track2"])
    assert caught.value.code == "E_USAGE"


def test_unjudged_voice_scales_the_other_weights_to_one() -> None:
    entries = [entry(cell, None, 0) if cell[2] in VOICE else entry(cell, 30) for cell in CELLS]
    place = standing(report(*entries), CHALLENGE, TRACK, "auto")
    assert place.final == 3
    assert place.missing_weight == dict.fromkeys((f"task4.{name}" for name in VOICE), Fraction(1, 4))


@pytest.mark.parametrize("how", ["absent", "null", "counted", "unable"])
def test_four_ways_to_be_unjudged(how: str) -> None:
    cell = ("zh", "task4", "vocal_empathy_congruence")
    judge = JudgeRef("small", "x", False, ("task4.vocal_empathy_congruence",)) if how == "unable" else None
    change = {
        "absent": [],
        "null": [entry(cell, None, 0)],
        "counted": [entry(cell, 10, counts={"not_judged": 1, "scored": 10})],
        "unable": [entry(cell, 10)],
    }
    others = [entry(other, 30) for other in CELLS if other[1:] != cell[1:] or (other != cell and how != "unable")]
    place = standing(report(*others, *change[how], judge=judge), CHALLENGE, TRACK, "auto")
    assert place.means[cell] is None
    assert place.missing_weight == {"task4.vocal_empathy_congruence": Fraction(1, 4 if how == "unable" else 8)}


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(CELLS), max_size=len(CELLS) - 1), st.lists(st.integers(10, 50), min_size=18, max_size=18)
)
def test_scaled_final_is_the_weighted_mean_of_what_was_judged(missing: set[Any], totals: list[int]) -> None:
    entries = [entry(c, None if c in missing else t) for c, t in zip(CELLS, totals, strict=True)]
    place = standing(report(*entries), CHALLENGE, TRACK, "auto")
    weights = cell_weights(CHALLENGE, TRACK)
    left = {c: Fraction(t, 10) for c, t in zip(CELLS, totals, strict=True) if c not in missing}
    share = sum(weights[c] for c in left)
    assert place.final == sum(weights[c] * mean for c, mean in left.items()) / share
    assert min(left.values()) <= place.final <= max(left.values())
    assert sum(place.missing_weight.values()) == 1 - share


def test_phase_final_takes_the_voice_from_human_raters_only() -> None:
    assert standing(report(*full()), CHALLENGE, TRACK, "final").final is None
    both = [*full(), *(replace(e, source="human", sum=10, mean=1.0) for e in full() if e.dimension in VOICE)]
    place = standing(report(*both), CHALLENGE, TRACK, "final")
    assert place.final is not None
    assert place.means["zh", "task4", VOICE[0]] == 1
    auto = standing(report(*both), CHALLENGE, TRACK, "auto")
    assert auto.means["zh", "task4", VOICE[0]] == Fraction(20 + CELLS.index(("zh", "task4", VOICE[0])), 10)


def test_phase_final_with_any_null_has_no_final() -> None:
    cut = [e for e in full(True) if (e.language, e.task, e.dimension) != ("en", "task2", "Added_Value")]
    place = standing(report(*cut), CHALLENGE, TRACK, "final")
    assert (place.final, place.languages["en"]) == (None, None)
    assert place.languages["zh"] is not None
    assert place.missing_weight == {"task2.Added_Value": Fraction(1, 30)}


def test_a_report_without_sums_is_read_as_decimals() -> None:
    assert exact_mean(entry(CELLS[0], None, 0, mean=3.3)) == Fraction(33, 10)
    assert exact_mean(entry(CELLS[0], None, 0, mean=4)) == 4
    assert exact_mean(entry(CELLS[0], 10, 3)) == Fraction(10, 3)
    assert exact_mean(entry(CELLS[0], None, 2, mean=1.25, sum="5/2")) == Fraction(5, 4)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": float("nan")},
        {"mean": float("inf")},
        {"mean": True},
        {"sum": True},
        {"sum": "1e3"},
        {"sum": "3/0"},
        {"sum": 30, "n": 0},
        {"mean": 5.5, "sum": 55},
        {"mean": 0.5, "sum": None},
    ],
)
def test_what_is_no_score_is_refused(change: dict[str, Any]) -> None:
    bad = replace(entry(CELLS[0], 30), **change)
    with pytest.raises(MachineError) as caught:
        standing(report(bad), CHALLENGE, TRACK, "auto")
    assert caught.value.code == "E_SCORE"


def test_a_dimension_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        standing(report(entry(CELLS[0], 30), entry(CELLS[0], 40)), CHALLENGE, TRACK, "auto")
    assert caught.value.code == "E_DOCUMENT"
