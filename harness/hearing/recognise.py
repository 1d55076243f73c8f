"""`python -m harness.hearing.recognise`: runs inside the judge container and writes down what is said in WAVs.

Reads /requests/recognise.json, the WAVs beside it and /weights/LANGUAGE; writes /output/recogniser.json and then
/output/words.jsonl, one line a file, as they come. Exit codes: 0 every file has a line (of which some may have
failed), 2 the requests are not ours, 3 the recogniser cannot work.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.documents.codec import canonical_json, pretty_json
from harness.errors import HarnessError, UsageError
from harness.hearing.recognisers import Recogniser, load_recogniser

REQUESTS, WORDS, FACTS = "recognise.json", "words.jsonl", "recogniser.json"


def main(requests: Path, weights: Path, output: Path) -> int:
    """Recognise everything, language by language. Returns the exit code; what went wrong is said on stderr."""
    try:
        plain = _read(requests / REQUESTS)
        facts: dict[str, Any] = {}
        with (output / WORDS).open("ab") as stream:
            for language, spec in sorted(plain["languages"].items()):
                recogniser = load_recogniser(spec["engine"], language, weights / language, spec["settings"])
                facts[language] = recogniser.versions()
                for file in plain["files"]:
                    if file["language"] == language:
                        stream.write(canonical_json(_line(recogniser, file, requests)) + b"\n")
                        stream.flush()
        (output / FACTS).write_bytes(pretty_json(facts))
    except HarnessError as error:
        print(f"recogniser: {error} [{error.code}]", file=sys.stderr)  # noqa: T201 - the container's own log
        return error.exit_code
    return 0


def _line(recogniser: Recogniser, file: Mapping[str, Any], requests: Path) -> dict[str, Any]:
    place = {"file": file["file"], "language": file["language"]}
    try:
        found = recogniser.transcript(requests / file["file"])
    except Exception as error:  # noqa: BLE001 - a file that breaks the recogniser must not take the others with it
        return {**place, "state": "failed", "why": f"{type(error).__name__}: {error}"[:500]}
    chunks = [{"text": word.text, "timestamp": [word.start_s, word.end_s]} for word in found.words]
    return {**place, "state": "heard", "transcript": {"text": found.text, "chunks": chunks}}


def _read(path: Path) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(path.read_bytes())
        _ = [(file["file"], file["language"]) for file in plain["files"]], plain["languages"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"the requests cannot be read: {error}", code="E_DOCUMENT", hint="make the requests anew"
        ) from error
    return plain


if __name__ == "__main__":
    sys.exit(main(Path("/requests"), Path("/weights"), Path("/output")))
