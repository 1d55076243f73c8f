"""The marked turn: the published rule by its vectors, the other rules by cases worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.challenge.evaluated_turn import aliased, evaluated_index, rules_disagree

VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors"
CASES = json.loads((VECTORS / "evaluated_turn_task4.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_second_non_neutral_is_what_the_published_script_chose(number: int) -> None:
    case: dict[str, Any] = CASES[number]
    emotions = [aliased(turn, "emotion", "input_emotion") for turn in case["in"]]
    index = evaluated_index(emotions, "second_non_neutral", "neutral")
    wanted = case["out"]["ok"]
    assert (None if index is None else {"index": index, "history_len": index + 1}) == wanted


def test_there_are_a_hundred_cases() -> None:
    assert len(CASES) == 100


@pytest.mark.parametrize(
    ("emotions", "last", "second", "last_non_neutral"),
    [
        ([], None, None, None),
        (["neutral"], 0, None, None),
        (["neutral", "NEUTRAL", "sad"], 2, None, 2),
        (["sad", "neutral", "fear", "anger"], 3, 2, 3),
        (["sad", None, "neutral"], 2, 1, 1),
        (["neutral", "neutral ", ""], 2, 2, 2),
    ],
)
def test_rules(emotions: list[str | None], last: int | None, second: int | None, last_non_neutral: int | None) -> None:
    assert evaluated_index(emotions, "last", "neutral") == last
    assert evaluated_index(emotions, "second_non_neutral", "neutral") == second
    assert evaluated_index(emotions, "last_non_neutral", "neutral") == last_non_neutral
    assert rules_disagree(emotions, "neutral") == (second != last_non_neutral)


def test_another_neutral_label() -> None:
    assert evaluated_index(["calm", "neutral", "Calm", "joy"], "second_non_neutral", "calm") == 3


def test_the_alias_wins_unless_it_is_empty() -> None:
    assert aliased({"text": "a", "input_text": "b"}, "text", "input_text") == "b"
    assert aliased({"text": "a", "input_text": ""}, "text", "input_text") == "a"
    assert aliased({"text": "a", "input_text": None}, "text", "input_text") == "a"
    assert aliased({}, "text", "input_text") is None
