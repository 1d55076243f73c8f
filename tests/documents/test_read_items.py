"""items.jsonl read back: what is refused, and which scores count."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from harness.documents.items import read_items, scores_by_judge
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
    with pytest.raises(HarnessError) as caught:
        scores_by_judge(read_items(path), "alpha")
    assert caught.value.code == code
