"""Ready transcripts: the `text`/`chunks` JSON of recognisers, with what is wrong about their times."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any, NoReturn

from harness.documents.duplex import Transcript, Word

_SLACK_S = 1.0  # recognisers place a last word a little behind the end


class BadTranscript(ValueError):
    """A transcript that cannot be used; ``code`` is E_TRANSCRIPT, E_TRANSCRIPT_TIME or E_TRANSCRIPT_ORDER."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


def read_transcript(data: bytes, duration_s: float) -> Transcript:
    """A transcript of a file that lasts ``duration_s``. Raises BadTranscript; a word that has no start, NaN, a
    negative time or words out of order never become a latency."""
    try:
        plain = json.loads(data, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        code = "E_TRANSCRIPT_TIME" if isinstance(error, BadTranscript) else "E_TRANSCRIPT"
        raise BadTranscript(code, f"it cannot be read as JSON: {error}") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("chunks"), list):
        raise BadTranscript("E_TRANSCRIPT", "it is no object with a list of chunks")
    words = tuple(_word(chunk, number, duration_s) for number, chunk in enumerate(plain["chunks"], 1))
    for number, (before, after) in enumerate(itertools.pairwise(words), 2):
        if after.start_s < before.start_s:
            raise BadTranscript("E_TRANSCRIPT_ORDER", f"word {number} starts before word {number - 1}")
    text = plain.get("text", "")
    return Transcript(text if isinstance(text, str) else "", words)


def transcript_plain(transcript: Transcript) -> dict[str, Any]:
    """The JSON that `read_transcript` reads."""
    chunks = [{"text": word.text, "timestamp": [word.start_s, word.end_s]} for word in transcript.words]
    return {"text": transcript.text, "chunks": chunks}


def _word(chunk: Any, number: int, duration_s: float) -> Word:
    if not isinstance(chunk, dict) or not isinstance(chunk.get("text"), str):
        raise BadTranscript("E_TRANSCRIPT", f"word {number} is no object with a text")
    times = chunk.get("timestamp")
    if not isinstance(times, list) or len(times) != 2:
        raise BadTranscript("E_TRANSCRIPT_TIME", f"word {number} has no [start, end]")
    start, end = times
    for value in times:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadTranscript("E_TRANSCRIPT_TIME", f"word {number} has the time {value!r}")
    if not 0 <= start <= end <= duration_s + _SLACK_S:
        raise BadTranscript("E_TRANSCRIPT_TIME", f"word {number} runs from {start} to {end} s of {duration_s:.3f} s")
    return Word(chunk["text"], float(start), float(end))


def _constant(name: str) -> NoReturn:
    raise BadTranscript("E_TRANSCRIPT_TIME", f"it holds {name}")
