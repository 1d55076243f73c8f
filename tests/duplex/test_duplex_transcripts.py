"""Ready transcripts: bad times are named and never become a latency."""

from __future__ import annotations

import json

import pytest

from harness.duplex.transcripts import BadTranscript, read_transcript, transcript_plain


def chunks(*times: object) -> bytes:
    return json.dumps({"text": "", "chunks": [{"text": "w", "timestamp": time} for time in times]}).encode()


def test_what_was_written_is_read_again() -> None:
    found = read_transcript(chunks([0.5, 0.9], [1.0, 1.2]), 2.0)
    assert [word.start_s for word in found.words] == [0.5, 1.0]
    assert read_transcript(json.dumps(transcript_plain(found)).encode(), 2.0) == found
    assert read_transcript(chunks(), 2.0).words == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "E_TRANSCRIPT"),
        (b"[]", "E_TRANSCRIPT"),
        (b'{"text": "a"}', "E_TRANSCRIPT"),
        (b'{"chunks": [3]}', "E_TRANSCRIPT"),
        (b"[" * 100_000, "E_TRANSCRIPT"),
        (b"\xff", "E_TRANSCRIPT"),
        (chunks([float("nan"), 1.0]), "E_TRANSCRIPT_TIME"),
        (chunks([0.0, float("inf")]), "E_TRANSCRIPT_TIME"),
        (chunks([None, 1.0]), "E_TRANSCRIPT_TIME"),
        (chunks([-0.5, 1.0]), "E_TRANSCRIPT_TIME"),
        (chunks([1.0, 0.5]), "E_TRANSCRIPT_TIME"),
        (chunks([1.0, 99.0]), "E_TRANSCRIPT_TIME"),
        (chunks([True, 1.0]), "E_TRANSCRIPT_TIME"),
        (chunks(None), "E_TRANSCRIPT_TIME"),
        (chunks([1.0, 1.5], [0.2, 0.4]), "E_TRANSCRIPT_ORDER"),
    ],
)
def test_bad_transcripts_are_named(data: bytes, code: str) -> None:
    with pytest.raises(BadTranscript) as caught:
        read_transcript(data, 2.0)
    assert caught.value.code == code
