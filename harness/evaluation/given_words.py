"""Ready transcripts and ready labels, from the organisers' own recogniser and judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def given_labels(path: Path) -> dict[str, tuple[Label, ...]]:
    """Labels by input: a line `{"file": "test-000001", "behaviour": ["C_RESPOND"]}`.

    Raises UsageError (E_LABEL) for a line that is none.
    """
    found: dict[str, tuple[Label, ...]] = {}
    try:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                row: dict[str, Any] = json.loads(line)
                labels = row["behaviour"]
                name, values = str(row["file"]), labels if isinstance(labels, list) else [labels]
                if name in found:
                    raise ValueError("the input stands twice")
                found[name] = tuple(read_label(each) for each in values)
            except (ValueError, TypeError, KeyError, NoLabel) as error:
                entry = finding("E_LABEL", line=number, number=number, what=str(error))
                raise UsageError(f"{path.name}: {entry.message}", code="E_LABEL", hint=entry.hint) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}", code="E_LABEL", hint="check the path") from error
    return found
