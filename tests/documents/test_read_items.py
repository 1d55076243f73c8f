"""items.jsonl read back: what is refused, and which scores count."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.documents.codec import jsonl
from harness.documents.items import Scores, read_items, read_scores, scores_by_judge
from harness.errors import HarnessError

ROW = {
    "dialogue_id": "d1",
    "dimension": "Added_Value",
    "flags": [],
    "language": "zh",
    "score": 3,
    "state": "scored",
    "task": "task2",
    "turn_id": 4,
}


def put(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_scores_by_cell_and_dialogue(tmp_path: Path) -> None:
    odd = {**ROW, "dialogue_id": "a\u2028b\u0085", "score": 2.1}
    missing = {**ROW, "dialogue_id": "d3", "score": None, "state": "not_judged"}
    rows = read_items(put(tmp_path / "items.jsonl", ROW, odd, missing))
    assert scores_by_judge(rows, "alpha") == {
        ("zh", "task2", "Added_Value", False): {"d1": 3, "a\u2028b\u0085": Fraction(21, 10), "d3": None}
    }
    assert read_items(put(tmp_path / "none.jsonl")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps({**ROW, "score": True}), "E_SCORE"),
        (json.dumps({**ROW, "score": "3"}), "E_SCORE"),
        (json.dumps(ROW).replace("3", "NaN"), "E_SCORE"),
        (json.dumps({**ROW, "state": "perfect"}), "E_DOCUMENT"),
        (json.dumps({**ROW, "task": 2}), "E_DOCUMENT"),
        (json.dumps({key: value for key, value in ROW.items() if key != "score"}), "E_DOCUMENT"),
        (json.dumps(ROW) + "," + json.dumps(ROW), "E_DOCUMENT"),
        ("[1]", "E_DOCUMENT"),
        ("{", "E_DOCUMENT"),
        ("[" * 100_000, "E_DOCUMENT"),
        (json.dumps(ROW) + "\n" + json.dumps(ROW), "E_DOCUMENT"),
    ],
)
def test_what_is_no_item_is_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(text, "utf-8")
    for read in (read_as_json, read_scores):
        with pytest.raises(HarnessError) as caught:
            read(path, "alpha")
        assert caught.value.code == code


def read_as_json(path: Path, team: str) -> Scores:
    return scores_by_judge(read_items(path), team)


ROWS = st.fixed_dictionaries(
    {
        "dialogue_id": st.text(max_size=6),
        "dimension": st.sampled_from(["Added_Value", 'a"\\']),
        "flags": st.lists(st.sampled_from(["F_INJ", "[", "\n"]), max_size=2),
        "language": st.just("zh"),
        "score": st.sampled_from([1, 5, None, 2.5, -1, 10**12]),
        "state": st.sampled_from(["scored", "missing", "perfect"]),
        "task": st.just("task2"),
        "turn_id": st.sampled_from([4, None]),
    }
)


@given(st.lists(ROWS, max_size=4), st.integers(0, 400), st.sampled_from(['"', ",", "0", "\n", "]", "\t", ""]))
def test_reading_quickly_is_reading(tmp_path_factory: Any, rows: list[dict[str, Any]], place: int, put_in: str) -> None:
    """Whatever lies in the file: the same scores, or the same refusal."""
    path = tmp_path_factory.getbasetemp() / "quick.jsonl"
    text = jsonl(rows).decode()
    path.write_text(text[:place] + put_in + text[place:], "utf-8")

    def outcome(read: Any) -> Any:
        try:
            return read(path, "alpha")
        except HarnessError as error:
            return error.code, str(error)

    assert outcome(read_scores) == outcome(read_as_json)
