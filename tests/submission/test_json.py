"""Strict JSON: agrees with the standard parser on valid documents, refuses what that one lets through."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.documents.codes import all_codes
from harness.submission.readers.jsonl import read_jsonl
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.strict_json import parse_json
from harness.submission.readers.tree import scan

LIMITS = made.CHALLENGE.read_limits
DEPTH = LIMITS.depth

scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=15,
)


def code(raw: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        parse_json(raw, DEPTH)
    return caught.value.code


@given(values, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=500, deadline=None)
def test_valid_documents_are_read_as_json_reads_them(value: Any, ascii_: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_, indent=indent).encode()
    assert parse_json(raw, 64) == json.loads(raw) == value


@given(st.binary(max_size=200))
@settings(max_examples=1000, deadline=None)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        value = parse_json(raw, DEPTH)
    except Refusal as refusal:
        assert refusal.code in all_codes()
    else:
        assert value == json.loads(raw)


@given(values, st.data())
@settings(max_examples=1000, deadline=None)
def test_a_mutated_document_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(value, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at:at] = data.draw(st.sampled_from([b"[", b"{", b'"', b"\\", b",", b"\\ud800", b"NaN", b"1e999", b"\xff"]))
    try:
        found = parse_json(bytes(raw), DEPTH)
    except Refusal as refusal:
        assert refusal.code.startswith("E_JSON_")
    else:
        assert found == json.loads(bytes(raw).decode())
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


REFUSED = {
    b"\xef\xbb\xbf{}": "E_JSON_BOM",
    b"\xff\xfe{\x00}\x00": "E_JSON_UTF8",
    "{}".encode("utf-16-le"): "E_JSON_UTF8",
    "{}".encode("utf-32-be"): "E_JSON_UTF8",
    b'"\xc0\xaf"': "E_JSON_UTF8",  # overlong
    b'"\xed\xa0\x80"': "E_JSON_UTF8",  # a surrogate in bytes
    b'"\xe4\xb8': "E_JSON_UTF8",  # cut
    '"é"'.encode("latin-1"): "E_JSON_UTF8",
    b"\x1f\x8b\x08\x00": "E_JSON_UTF8",
    b"\x80\x04K\x01.": "E_JSON_UTF8",  # a pickle
    b"NaN": "E_JSON_NUM",
    b"[-Infinity]": "E_JSON_NUM",
    b'{"a": Infinity}': "E_JSON_NUM",
    b"1e999": "E_JSON_NUM",
    b"-1e999": "E_JSON_NUM",
    b"1" * 65: "E_JSON_NUM",
    b"[" * 17 + b"]" * 17: "E_JSON_DEPTH",
    b'{"a":' * 17 + b"1" + b"}" * 17: "E_JSON_DEPTH",
    b"[" * 100_000: "E_JSON_DEPTH",
    b'"\\ud800"': "E_JSON_SURROGATE",
    b'"\\udc00\\ud800"': "E_JSON_SURROGATE",
    b'{"\\udfff": 1}': "E_JSON_SURROGATE",
    b'{"a": 1, "a": 1}': "E_JSON_DUP",
    b'{"a": 1, "\\u0061": 2}': "E_JSON_DUP",
    b'[{"b": {"a": 1, "a": 2}}]': "E_JSON_DUP",
    b"": "E_JSON_SYNTAX",
    b"  ": "E_JSON_SYNTAX",
    b"{} {}": "E_JSON_SYNTAX",
    b"{}x": "E_JSON_SYNTAX",
    b"{} // comment": "E_JSON_SYNTAX",
    b"[1,]": "E_JSON_SYNTAX",
    b"{'a': 1}": "E_JSON_SYNTAX",
    b"{a: 1}": "E_JSON_SYNTAX",
    b"01": "E_JSON_SYNTAX",
    b"+1": "E_JSON_SYNTAX",
    b".5": "E_JSON_SYNTAX",
    b"1.": "E_JSON_SYNTAX",
    b"0x10": "E_JSON_SYNTAX",
    b"TRUE": "E_JSON_SYNTAX",
    b'"\t"': "E_JSON_SYNTAX",
    b'"\\x41"': "E_JSON_SYNTAX",
    b'"\\u00g0"': "E_JSON_SYNTAX",
    b'"open': "E_JSON_SYNTAX",
    b"[1": "E_JSON_SYNTAX",
}


@pytest.mark.parametrize(("raw", "wanted"), REFUSED.items(), ids=lambda value: repr(value)[:24])
def test_what_is_not_strict_json_is_refused(raw: bytes, wanted: str) -> None:
    assert code(raw) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 16 + b"]" * 16,
        b'"' + b"[{" * 100 + b'"',
        b'"a\\"[[[[[[[[[[[[[[[[[[[[[["',
        b'["\\u005b\\\\", "[[[[[[[[[[[[[[[[[[["]',
        b'"\\ud83d\\ude00"',
        '"\u2028\u0085"'.encode(),
        b"1" * 64,
        b"-0",
        b"1e308",
        b" \t\r[ 1 ]\r",
    ],
)
def test_what_only_looks_odd_is_read(raw: bytes) -> None:
    assert parse_json(raw, DEPTH) == json.loads(raw)


def read(tmp_path: Path, data: bytes, **limits: int) -> list[tuple[int, Any, str | None]]:
    (tmp_path / "x.jsonl").write_bytes(data)
    tree = scan(tmp_path, LIMITS)
    lines = read_jsonl(tree, "x.jsonl", replace(LIMITS, **limits))
    return [(number, value, refusal.code if refusal else None) for number, value, refusal in lines]


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    rows = ['{"t": "a\u2028b\u0085c"}', '{"t": 1}', '{"t": 2}\r']
    found = read(tmp_path, "\n".join(rows).encode())
    assert found == [(1, {"t": "a\u2028b\u0085c"}, None), (2, {"t": 1}, None), (3, {"t": 2}, None)]


def test_a_bad_line_does_not_hide_the_next(tmp_path: Path) -> None:
    found = read(tmp_path, b'{"a": 1}\nNaN\n\n{"b": 2}\n')
    assert [(number, refused) for number, _, refused in found] == [
        (1, None),
        (2, "E_JSON_NUM"),
        (3, "E_JSON_SYNTAX"),
        (4, None),
    ]


def test_a_bom_on_a_later_line_is_refused(tmp_path: Path) -> None:
    assert [refused for _, _, refused in read(tmp_path, b"{}\n\xef\xbb\xbf{}\n")] == [None, "E_JSON_BOM"]


@pytest.mark.parametrize(("length", "refused"), [(99, None), (100, None), (101, "E_JSON_LINE")])
def test_the_line_cap_is_exact(tmp_path: Path, length: int, refused: str | None) -> None:
    row = b'"' + b"x" * (length - 2) + b'"'
    found = read(tmp_path, row + b"\n" + b"1\n", line_bytes=100)
    assert [(number, code_) for number, _, code_ in found] == [(1, refused), (2, None)]


@pytest.mark.parametrize(("count", "refused"), [(9, None), (10, None), (11, "E_JSON_COUNT")])
def test_the_count_cap_is_exact(tmp_path: Path, count: int, refused: str | None) -> None:
    found = read(tmp_path, b"1\n" * count, lines=10)
    assert found[-1][2] == refused


@pytest.mark.parametrize(("last", "refused"), [(b"[1, 2, 3]", None), (b"[1, 2, 3, 4]", "E_JSON_VALUES")])
def test_lines_are_only_counted_once_there_are_too_many_values(
    tmp_path: Path, last: bytes, refused: str | None
) -> None:
    rows = b"[1, 2]\n" * 2
    found = read(tmp_path, rows + last + b"\n", values=7)
    assert [code_ for _, _, code_ in found] == [None, None, refused]
    found = read(tmp_path, rows + b"[[[1, 2, 3, 4]]]\n" + rows + b"NaN\n", values=7, lines=5)
    assert [(number, code_) for number, _, code_ in found] == [
        (1, None), (2, None), (0, "E_JSON_VALUES"), (0, "E_JSON_COUNT"),
    ]  # fmt: skip


def test_lines_are_only_counted_once_there_are_too_many_faults(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"NaN\n" * 9)
    seen: list[int] = []
    limits = replace(LIMITS, faults=3)
    for number, _, refusal in read_jsonl(scan(tmp_path, limits), "x.jsonl", limits, lambda: len(seen)):
        assert refusal is not None
        assert refusal.code == ("E_JSON_NUM" if number else "E_JSON_FAULTS")
        seen.append(number)
    assert seen == [1, 2, 3, 4, 0]
    assert refusal.values == {"limit": 3, "first": 5}


@pytest.mark.parametrize(("length", "refused"), [(99, None), (100, None), (101, "E_JSON_SIZE")])
def test_the_file_cap_is_exact(tmp_path: Path, length: int, refused: str | None) -> None:
    rows = b"1\n" * 49
    found = read(tmp_path, rows + b" " * (length - len(rows) - 1) + b"1", jsonl_bytes=100)
    assert found[-1][2] == refused


def test_a_line_of_two_gibibytes_is_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "x.jsonl").open("wb") as stream:
        stream.truncate(2 << 30)
    started = time.monotonic()
    found = list(read_jsonl(scan(tmp_path, LIMITS), "x.jsonl", LIMITS))
    assert time.monotonic() - started < 2
    assert [refusal.code for _, _, refusal in found if refusal] == ["E_JSON_LINE", "E_JSON_SIZE"]


def test_other_formats_are_no_text(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.jsonl") as database:
        database.execute("create table t (a)")
    database.close()
    found = list(read_jsonl(scan(tmp_path, LIMITS), "x.jsonl", LIMITS))
    assert found[0][2] is not None
    assert found[0][2].code == "E_JSON_UTF8"
