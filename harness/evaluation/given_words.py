"""Ready transcripts and ready labels, from the organisers' own recogniser and judge."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from harness.documents.codes import finding
from harness.documents.duplex import Transcript
from harness.documents.submission import ReplyAudio
from harness.duplex.behaviour import Label, NoLabel, read_label
from harness.duplex.transcripts import BadTranscript, read_transcript
from harness.errors import UsageError

_MAX_BYTES = 1 << 24


def given_transcript(folder: Path | None, audio: ReplyAudio) -> Transcript | None:
    """The transcript of an output: `test/test-000001_output.json` for the WAV of that name; None when there is none.

    Raises UsageError (E_TRANSCRIPT, E_TRANSCRIPT_TIME, E_TRANSCRIPT_ORDER) for one that cannot be used.
    """
    if folder is None:
        return None
    path = (folder / audio.path).with_suffix(".json")
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            return read_transcript(stream.read(_MAX_BYTES), audio.duration_s)
    except (BadTranscript, OSError) as error:
        code = error.code if isinstance(error, BadTranscript) else "E_TRANSCRIPT"
        entry = finding(code, name=path.name, what=str(error))
        raise UsageError(entry.message, code=code, hint=entry.hint) from error


def given_labels(path: Path, known: Collection[str]) -> dict[str, tuple[Label, ...]]:
    """Labels by input: a line `{"file": "test-000001", "behaviour": ["C_RESPOND"]}`; ``known`` are the inputs that
    there are.

    Raises UsageError (E_LABEL) for a line that is none, or that labels something else.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}", code="E_LABEL", hint="check the path") from error
    found: dict[str, tuple[Label, ...]] = {}
    for number, line in enumerate(lines, 1):
        try:
            name, labels = _label_line(line)
            if name in found:
                raise NoLabel(f"{name!a} stands twice")
            if name not in known:
                raise NoLabel(f"the key has no input {name!a}")
            found[name] = labels
        except (ValueError, RecursionError) as error:
            entry = finding("E_LABEL", line=number, number=number, what=str(error))
            raise UsageError(f"{path.name}: {entry.message}", code="E_LABEL", hint=entry.hint) from error
    return found


def _label_line(line: bytes) -> tuple[str, tuple[Label, ...]]:
    """The input and its labels, one as a rule. Raises ValueError."""
    row = json.loads(line.decode("utf-8"))
    if not isinstance(row, dict) or not isinstance(row.get("file"), str):
        raise NoLabel("it is no object that names a file")
    labels = row.get("behaviour")
    values = labels if isinstance(labels, list) else [labels]
    if not values:
        raise NoLabel("the list of labels is empty")
    return row["file"], tuple(read_label(each) for each in values)
