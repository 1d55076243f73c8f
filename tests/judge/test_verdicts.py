"""What the container wrote is read strictly: a bad line fails its item and nothing is mended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.verdict import ContextTurn
from harness.judge import JudgeItem, judge_request, read_verdicts
from harness.judge.verdicts import read_in_flight

CHALLENGE = load_challenge()
DIMENSIONS = ("Accuracy_Completeness", "Added_Value")
REQUEST = judge_request(JudgeItem("task2", "en", (ContextTurn(1, "Hi", "happy", "Hello"),), DIMENSIONS), CHALLENGE, "f")
OTHER = judge_request(JudgeItem("task2", "zh", (ContextTurn(1, "Hi", "sad", "Hey"),), DIMENSIONS), CHALLENGE, "f")
PLACE = (REQUEST.item, 0)


def line(**changes: Any) -> dict[str, Any]:
    return {
        "item": REQUEST.item,
        "sample": 0,
        "scores": {"Accuracy_Completeness": 3, "Added_Value": 5},
        "reasons": {"Added_Value": "why"},
        "raw_sha256": "a" * 64,
        "attempts": 1,
        "state": "scored",
        "evidence": {"speech_s": 1.5},
    } | changes


def read(*lines: Any) -> Any:
    raw = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    return read_verdicts(raw, [REQUEST, OTHER], CHALLENGE)


def test_a_good_line_is_a_verdict_and_a_missing_one_has_failed() -> None:
    found = read(line())
    assert found[PLACE].state == "scored"
    assert found[PLACE].scores == {"Accuracy_Completeness": 3, "Added_Value": 5}
    assert found[PLACE].evidence == {"speech_s": 1.5}
    assert (found[OTHER.item, 0].state, found[OTHER.item, 0].scores) == ("failed", None)


BAD_SCORES = [
    {"Accuracy_Completeness": mark, "Added_Value": 5}
    for mark in (4, 0, 6, 5.0, 5.5, "5", "5/5", "five", "５", True, None, [5], {"5": 5}, 1e400)
] + [
    {"Accuracy_Completeness": 3},
    {"Accuracy_Completeness": 3, "Added_Value": 5, "Depth_Granularity": 5},
    {},
    None,
    [3, 5],
    "3",
]


@pytest.mark.parametrize("scores", BAD_SCORES, ids=repr)
def test_no_mark_is_coerced(scores: Any) -> None:
    verdict = read(line(scores=scores))[PLACE]
    assert (verdict.state, verdict.scores) == ("failed", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "done"},
        {"state": "failed"},
        {"attempts": 0},
        {"attempts": True},
        {"raw_sha256": "abc"},
        {"raw_sha256": None},
        {"reasons": {"a": 1}},
        {"reasons": {"a": "x" * 3000}},
        {"evidence": {"speech_s": float("nan")}},
        {"evidence": {"speech_s": "1"}},
        {"evidence": {"speech_s": True}},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_line_that_is_not_exactly_a_verdict_fails_its_item(changes: dict[str, Any]) -> None:
    assert read(line(**changes))[PLACE].state == "failed"


def test_a_failed_line_is_a_failed_verdict_with_its_reason() -> None:
    verdict = read(line(state="failed", scores=None, raw_sha256="", reasons={"failed": "E_AUDIO: gone"}))[PLACE]
    assert (verdict.state, verdict.scores, verdict.reasons) == ("failed", None, {"failed": "E_AUDIO: gone"})


def test_two_lines_of_one_item_are_none() -> None:
    assert read(line(), line())[PLACE].state == "failed"


def test_duplicate_keys_fail_the_item() -> None:
    text = json.dumps(line())
    assert read(text.replace('"state"', '"state": "scored", "state"').encode())[PLACE].state == "failed"
    inner = text.replace('"Added_Value": 5', '"Added_Value": 1, "Added_Value": 5')
    assert inner != text
    assert read(inner.encode())[PLACE].state == "failed"


def test_lines_about_unknown_items_and_garbage_touch_nothing() -> None:
    found = read(line(item="sha256:" + "0" * 64), line(sample=1), b"\xff\xfe{", b"[1", b"null", b'"x"', b"{}", line())
    assert set(found) == {PLACE, (OTHER.item, 0)}
    assert found[PLACE].state == "scored"


def test_a_line_cut_off_by_a_crash_fails_only_its_item() -> None:
    whole = json.dumps(line()).encode()
    assert read(whole[: len(whole) // 2])[PLACE].state == "failed"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    assert {verdict.state for verdict in read(raw).values()} == {"failed"}


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[[1]]", b"7", b'[["a", Infinity]]', b'[["a", "b"]]', b"\xff", b"[" * 100_000, b"9" * 5_000]
)
def test_what_the_judge_was_at_is_not_believed_unless_it_is_sound(raw: bytes) -> None:
    assert read_in_flight(raw) == set()
    assert read_in_flight(b'[["a", 1]]') == {("a", 1)}
