"""Mapping ids back: exact for what is sound, hands off what is not."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.sandbox.result_lines import MappedLines

LIMITS = replace(load_challenge().read_limits, line_bytes=4096, lines=50)
IDS = {"0123456789abcdef": "task2_3_zh_0001_0001"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def mapped(data: bytes) -> tuple[list[bytes], MappedLines]:
    lines = MappedLines(io.BytesIO(data), IDS, LIMITS)
    return list(lines.lines()), lines


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_only_the_id_changes(extra: dict[str, object]) -> None:
    row = {**extra, "dialogue_id": "0123456789abcdef"}
    row.pop("turns", None)
    data = (json.dumps(row) + "\n").encode()
    lines, counts = mapped(data)
    assert counts.unknown == 0
    if counts.unreadable:  # a lone surrogate cannot be written as UTF-8: untouched
        assert lines == [data]
    else:
        assert [json.loads(line) for line in lines] == [{**row, "dialogue_id": "task2_3_zh_0001_0001"}]


@given(st.binary(max_size=300))
def test_bytes_that_are_not_results_are_kept_as_they_are(data: bytes) -> None:
    lines, counts = mapped(data)
    if counts.unknown == 0:
        assert b"".join(lines) == data


def test_doubtful_lines_are_kept() -> None:
    doubtful = [
        b'{"dialogue_id": "0123456789abcdef", "dialogue_id": "0123456789abcdef"}\n',
        b'{"dialogue_id": "0123456789abcdef", "x": NaN}\n',
        b'{"dialogue_id": "0123456789abcdef", "x": 1e999}\n',
        b'{"dialogue_id": "0123456789abcdef", "x": "\\ud800"}\n',
        b'{"dialogue_id": "0123456789abcdef", "x": "\xff"}\n',
        b'{"dialogue_id": "0123456789abcdef", "turns": [{"turn_id": -0}]}\n',
        b'{"dialogue_id": 5}\n',
        b"[" * 2000 + b"]" * 2000 + b"\n",
        b'\xef\xbb\xbf{"dialogue_id": "0123456789abcdef"}\n',
        b"\n",
    ]
    lines, counts = mapped(b"".join(doubtful))
    assert lines == doubtful
    assert counts.unreadable == len(doubtful)


def test_long_lines_and_too_many_lines() -> None:
    sound = b'{"dialogue_id": "0123456789abcdef"}\n'
    long = b'{"dialogue_id": "0123456789abcdef", "x": "' + b"y" * 9000 + b'"}\n'
    lines, counts = mapped(long + sound)
    assert b"".join(lines[:-1]) == long and b"task2_3" in lines[-1] and counts.unreadable == 1
    lines, _ = mapped(sound * 100)
    assert len(lines) == LIMITS.lines + 1


def test_response_audio_follows_its_id() -> None:
    row = {
        "dialogue_id": "0123456789abcdef",
        "turns": [{"turn_id": 1, "response_audio": "task4/0123456789abcdef_1.wav"}],
    }
    lines, _ = mapped(json.dumps(row).encode())
    assert json.loads(lines[0])["turns"][0]["response_audio"] == "task4/task2_3_zh_0001_0001_1.wav"
