"""The offending line with its caret: the right value, the right column, nothing that steers a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.excerpt import WIDTH, columns, excerpt, locate

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def pointers(value: Any, head: str = "") -> list[tuple[str, Any]]:
    found = [(head, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += pointers(inner, f"{head}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found


@given(VALUES, st.sampled_from([None, 1]))
def test_every_pointer_finds_its_value(value: Any, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    for pointer, inner in pointers(value):
        place = locate(text, pointer)
        assert place is not None
        assert json.loads(text[slice(*place)]) == inner


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/x", "/a/0/b", "/a/-1"])
def test_what_is_not_there_is_not_found(pointer: str) -> None:
    assert locate('{"a": [1, 2]}', pointer) is None
    assert locate('{"a": [1, ', pointer) is None


def test_the_caret_stands_under_the_value_also_behind_chinese() -> None:
    text, mark = excerpt('{"甲乙": "丙", "id": 7}', None, "/id")
    assert text == '{"甲乙": "丙", "id": 7}'
    assert mark == " " * 21 + "^"  # 18 characters before it, three of them two columns wide


def test_a_column_marks_one_character() -> None:
    assert excerpt("{]", 2, None) == ("{]", " ^")
    assert excerpt("{", 9, None) == ("{", " ^")
    assert excerpt("", None, "") == ("", "^")


@given(st.text(max_size=400), st.none() | st.integers(1, 400), st.none() | st.just("/a"))
def test_an_excerpt_fits_and_cannot_steer_a_terminal(line: str, column: int | None, pointer: str | None) -> None:
    text, mark = excerpt(line, column, pointer)
    assert text.isprintable()
    assert columns(text) <= WIDTH + 2
    assert set(mark) <= {" ", "^"}
    assert "^" in mark
