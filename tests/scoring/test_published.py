"""The published scripts' reading, by the cases with known answers and by the corners that the facts name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.scoring.published import clamp, means, read_reply, snap

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
CHALLENGE = load_challenge()
OUTCOMES = {None: "scored", "JSONDecodeError": "unparsed", "other": "misshapen"}


def cases(name: str, n: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]
    assert len(found) == n
    return found


def test_snap() -> None:
    for case in cases("snap_score_1_3_5", 55):
        assert snap(case["in"], (1, 3, 5)) == case["out"]["ok"], case["in"]


def test_clamp() -> None:
    for case in cases("clamp_score_1_5", 55):
        assert clamp(case["in"], (1, 2, 3, 4, 5)) == case["out"]["ok"], case["in"]


@pytest.mark.parametrize("task", ["task2", "task3", "task4"])
def test_reply(task: str) -> None:
    for case in cases(f"published_reply_{task}", 75):
        wanted = case["out"]["ok"]
        reading = read_reply(case["in"], CHALLENGE.tasks[task])
        assert reading.scores == wanted["scores"], case["in"]
        assert (reading.scores is not None) == wanted["scored"]
        assert reading.repaired == wanted["repaired"], case["in"]
        assert reading.outcome == OUTCOMES[wanted["error_kind"]], case["in"]


@pytest.mark.parametrize("task", ["task2", "task4"])
def test_means(task: str) -> None:
    dimensions = CHALLENGE.tasks[task].dimension_ids()
    for case in cases(f"published_means_{task}", 25):
        found = means([row.get("scores") for row in case["in"]], dimensions)
        wanted = case["out"]["ok"]
        if wanted is None:
            assert found is None
            continue
        assert found is not None
        plain = {"model": "M", "successful_evaluations": found.successful, "failed_evaluations": found.failed}
        plain |= {f"{name}_avg": float(mean) for name, mean in found.dimensions.items()}
        if found.overall is not None:
            plain["Overall_avg"] = float(found.overall)
        assert plain == pytest.approx(wanted, abs=1e-9)


TEXT, VOICE = CHALLENGE.tasks["task2"], CHALLENGE.tasks["task4"]
A, B, C = TEXT.dimension_ids()


def test_infinity_is_no_number() -> None:
    assert snap(float("inf"), (1, 3, 5)) is None
    assert clamp(float("inf"), (1, 2, 3, 4, 5)) == 1
    assert read_reply(f'{{"scores": {{"{A}": Infinity}}}}', TEXT).outcome == "misshapen"
    voice = read_reply('{"scores": {"textual_empathy_insight": -Infinity}}', VOICE)
    assert voice.scores == dict.fromkeys(VOICE.dimension_ids(), 1)


@pytest.mark.parametrize(
    ("value", "mark"),
    [("5.0", 1), ("4.9", 1), ("3/5", 1), ([3], 1), (True, 1), (float("nan"), 1), (4.9, 3), (2.999, 1), ("1_0", 5)],
)
def test_snap_corners(value: Any, mark: int) -> None:
    assert snap(value, (1, 3, 5)) == mark


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('Sure! {"scores": {}}', "unparsed"),
        ('```JSON\n{"scores": {}}\n```', "unparsed"),
        ("", "unparsed"),
        ("[1, 2", "unparsed"),  # closed by the repair, but a list
        ('{"scores": {}', "scored"),
        ("5", "misshapen"),
        ("null", "misshapen"),
        ('{"other": 1}', "misshapen"),
        ('{"scores": "5"}', "misshapen"),
        ("[" * 100_000, "misshapen"),
        (f'{{"scores": {{"{A}": {"9" * 5000}}}}}', "misshapen"),
    ],
)
def test_outcomes_have_names(text: str, outcome: str) -> None:
    reading = read_reply(text, TEXT)
    assert reading.outcome == outcome
    assert (reading.scores is None) == (outcome != "scored")


def test_a_reply_without_scores_is_lowest_where_the_scale_has_no_gaps() -> None:
    reading = read_reply('{"verdict": "good"}', VOICE)
    assert reading.scores == dict.fromkeys(VOICE.dimension_ids(), 1)
    assert reading.flags == ("F_NO_SCORES",)


def test_flags_say_what_reading_changed() -> None:
    reading = read_reply(json.dumps({"scores": {A: 4.9, B: 3, C: "5"}})[:-1], TEXT)
    assert reading.scores == {A: 3, B: 3, C: 5}
    assert reading.flags == ("F_REPAIRED", "F_MARK")
    assert reading.raw == {A: "4.9", C: "'5'"}
    clean = read_reply(json.dumps({"scores": {A: 1, B: 3, C: 5}}), TEXT)
    assert (clean.flags, clean.raw) == ((), None)


@settings(deadline=None)
@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(repr))
def test_any_text_gives_an_outcome_and_marks_of_the_scale(text: str) -> None:
    for task in (TEXT, VOICE):
        reading = read_reply(text, task)
        assert (reading.scores is not None) == (reading.outcome == "scored")
        assert all(reading.scores[d] in task.scale for d in task.dimension_ids()) if reading.scores else True


@settings(deadline=None)
@given(st.floats(), st.sampled_from([(1, 3, 5), (0, 10), (1, 2, 3)]))
def test_a_mark_is_on_the_scale_and_never_above_the_number(value: float, scale: tuple[int, ...]) -> None:
    mark = clamp(value, scale)
    assert mark in scale
    if scale[0] <= value < float("inf"):
        assert mark <= value
