"""Canonical JSON, atomic writes, and documents that refuse what they do not know."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.documents.codec import canonical_json, digest, from_plain, jsonl, read_document, to_plain, write_atomic
from harness.documents.finding import Checked, Finding, Findings
from harness.documents.verdict import Verdict
from harness.errors import MachineError, UsageError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_key_order_does_not_change_the_bytes(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    try:
        expected = canonical_json(value)
    except UnicodeEncodeError:  # lone surrogates are not text
        return
    assert canonical_json(turned) == expected
    assert digest(turned) == digest(value)
    assert json.loads(expected) == value


def test_not_a_number_never_becomes_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"mean": float("nan")})


def test_jsonl_is_one_object_a_line_whatever_the_text_holds() -> None:
    data = jsonl([{"text": "a\nb\u2028c"}, {"text": "d"}])
    assert data.count(b"\n") == 2
    assert [json.loads(line)["text"] for line in data.split(b"\n")[:-1]] == ["a\nb\u2028c", "d"]


def test_a_document_comes_back_as_it_went() -> None:
    verdict = Verdict("k", 0, {"D": 3}, {"D": "because"}, "sha256:0", 1, "scored", {"speech_s": 1.5})
    assert from_plain(Verdict, json.loads(canonical_json(to_plain(verdict)))) == verdict


@pytest.mark.parametrize(
    "plain",
    [
        {"files": 1, "dialogues": 0, "audio_seconds": 0.0, "surprise": 1},
        [],
        {"files": {"a": 1}},
    ],
)
def test_a_document_with_unknown_or_wrong_parts_is_refused(plain: object) -> None:
    with pytest.raises(UsageError) as caught:
        from_plain(Checked, plain)
    assert caught.value.code == "E_DOCUMENT"


def test_nan_in_a_stored_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checked.json"
    path.write_text('{"audio_seconds": NaN}', "utf-8")
    with pytest.raises(UsageError, match="NaN is not JSON"):
        read_document(Checked, path)


def test_write_atomic_replaces_a_link_instead_of_following_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    link = tmp_path / "out.json"
    link.symlink_to(victim)
    write_atomic(link, b"new")
    assert victim.read_text() == "untouched"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"
    assert stat.S_IMODE(link.stat().st_mode) == 0o644


def test_write_atomic_leaves_the_old_file_when_the_disk_refuses(tmp_path: Path) -> None:
    folder = tmp_path / "file-in-the-way"
    folder.write_text("x")
    with pytest.raises(MachineError) as caught:
        write_atomic(folder / "out.json", b"new")
    assert caught.value.code == "I_DISK"
    assert [path.name for path in tmp_path.iterdir()] == ["file-in-the-way"]


def _finding(severity: str, line: int) -> Finding:
    return Finding("E_X", severity, "m", "h", "f", line)  # type: ignore[arg-type]


def test_errors_push_out_warnings_when_there_is_no_room_and_the_rest_is_counted() -> None:
    findings = Findings(cap=3)
    for line in (9, 8, 7):
        findings.add(_finding("warning", line))
    for line in (6, 5):
        findings.add(_finding("error", line))
    kept, left_out = findings.result()
    assert [(f.severity, f.line) for f in kept] == [("error", 5), ("error", 6), ("warning", 7)]
    assert left_out == 2
    assert findings.has_errors
