"""`python -m harness.judge.worker`: runs inside the judge container.

Reads /requests/requests.jsonl, /requests/settings.json and /weights; writes /output/fingerprint.json and then
/output/verdicts.jsonl, one line an item and sample, as they come. Exit codes: 0 all requests have a line (of which
some may have failed), 2 the requests are not ours, 3 the judge cannot work.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import __version__
from harness.documents.codec import canonical_json, from_plain, pretty_json, to_plain
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import HarnessError, MachineError, UsageError
from harness.judge.engines import JudgeEngine, load_engine
from harness.judge.prompts import prompt_digests
from harness.judge.requests import REQUESTS, SETTINGS
from harness.judge.verdicts import failed

VERDICTS, FINGERPRINT = "verdicts.jsonl", "fingerprint.json"
_LINE_BYTES = 4 << 20


def main(requests: Path, weights: Path, output: Path) -> int:
    """Judge everything. Returns the exit code; what went wrong is said on stderr."""
    try:
        settings = _read_settings(requests / SETTINGS)
        todo = list(read_requests(requests / REQUESTS))
        engine = load_engine(settings, weights)
        fingerprint = {"harness": __version__, "profile": settings["profile"], **engine.fingerprint()}
        fingerprint |= {"weights": file_digests(weights), "prompts": settings["prompts"]}
        (output / FINGERPRINT).write_bytes(pretty_json(fingerprint))
        speech = _Speech(requests)
        with (output / VERDICTS).open("ab") as stream:
            for request in todo:
                stream.write(canonical_json(to_plain(verdict_of(engine, speech, request))) + b"\n")
                stream.flush()
    except HarnessError as error:
        print(f"judge: {error} [{error.code}]", file=sys.stderr)  # noqa: T201 - the container's own log
        return error.exit_code
    return 0


def verdict_of(engine: JudgeEngine, speech: _Speech, request: JudgeRequest) -> Verdict:
    """One request's verdict. Whatever goes wrong with it stays with it."""
    try:
        evidence = speech.evidence(request)
        judgement = engine.judge(request)
    except Exception as error:  # noqa: BLE001 - an item that breaks the engine must not take the others with it
        code = error.code if isinstance(error, HarnessError) else type(error).__name__
        return failed((request.item, request.sample), f"{code}: {error}"[:500])
    return Verdict(
        item=request.item,
        sample=request.sample,
        scores={dimension: judgement.scores[dimension] for dimension in request.dimensions},
        reasons=judgement.reasons,
        raw_sha256=hashlib.sha256(judgement.raw).hexdigest(),
        attempts=1,
        state="scored",
        evidence={**evidence, **judgement.evidence},
    )


class _Speech:
    """Voice activity of the requests that have audio; its model is loaded for the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meter: Any = None

    def evidence(self, request: JudgeRequest) -> dict[str, float]:
        if request.audio is None:
            return {}
        if self._meter is None:
            from harness.judge.engines.speech import SpeechMeter

            self._meter = SpeechMeter()
        return {"speech_s": self._meter.speech_s(self._folder / request.audio)}


def read_requests(path: Path) -> Iterator[JudgeRequest]:
    """Every line of requests.jsonl. Raises UsageError (E_DOCUMENT) for anything that is not exactly a request."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if len(line) > _LINE_BYTES:
                    raise UsageError(f"request {number} is too long", code="E_DOCUMENT", hint="make the requests anew")
                yield from_plain(JudgeRequest, json.loads(line))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the requests cannot be read: {error}", code="E_DOCUMENT", hint="make the requests anew"
        ) from error


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(path.read_bytes())
        wanted = settings["prompts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the settings cannot be read: {error}", code="E_DOCUMENT", hint="make the requests anew"
        ) from error
    if wanted != prompt_digests():
        raise MachineError(
            "the prompts in this judge image are not those of the harness",
            code="E_JUDGE_PROMPTS",
            hint="build the judge image again: `humdial judge build`",
        )
    return settings


def file_digests(folder: Path) -> dict[str, str]:
    """``name → sha256:…`` of every file in a folder of weights."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            found[path.relative_to(folder).as_posix()] = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
    return found


if __name__ == "__main__":
    sys.exit(main(Path("/requests"), Path("/weights"), Path("/output")))
