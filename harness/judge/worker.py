"""`python -m harness.judge.worker`: runs inside the judge container.

Reads /requests/requests.jsonl, /requests/settings.json and /weights; writes /output/fingerprint.json and then
/output/verdicts.jsonl, one line an item and sample, as they come. Exit codes: 0 all requests have a line (of which
some may have failed), 2 the requests are not ours, 3 the judge cannot work.

Requests are streamed: of each only its place in the file and its shape are kept, and a batch is read when its turn has
come. Batches hold requests of one shape, in the order of the file. What is being judged is named in inflight.json, so
that after a death it is known whose turn it was; a call that takes too long ends the process. Text that an engine
sampled freely goes to replies.jsonl: the host reads it.
"""

from __future__ import annotations

import faulthandler
import hashlib
import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import __version__
from harness.documents.codec import canonical_json, from_plain, pretty_json, to_plain
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import HarnessError, MachineError, UsageError
from harness.judge.engines import JudgeEngine, Judgement, load_engine
from harness.judge.evidence import EvidenceMeter, audible
from harness.judge.prompts import prompt_digests
from harness.judge.requests import REQUESTS, SETTINGS
from harness.judge.verdicts import failed

VERDICTS, FINGERPRINT = "verdicts.jsonl", "fingerprint.json"
REPLIES, IN_FLIGHT = "replies.jsonl", "inflight.json"
CALL_S = 600  # the longest that one batch may take, where the profile does not say
_LINE_BYTES = 4 << 20
Line = tuple[Verdict, str | None]


def main(requests: Path, weights: Path, output: Path) -> int:
    """Judge everything. Returns the exit code; what went wrong is said on stderr."""
    try:
        settings = _read_settings(requests / SETTINGS)
        for _ in read_requests(requests / REQUESTS):
            pass  # all of them are ours, or nothing is judged
        engine = load_engine(settings, weights, requests)
        fingerprint = {"harness": __version__, "profile": settings["profile"], **engine.fingerprint()}
        fingerprint |= {"weights": file_digests(weights), "prompts": settings["prompts"]}
        (output / FINGERPRINT).write_bytes(pretty_json(fingerprint))
        with (output / VERDICTS).open("ab") as stream, (output / REPLIES).open("ab") as replies:
            for verdict, text in judge_all(Watched(engine, settings, output), settings, requests):
                if text is not None:
                    reply = {"item": verdict.item, "sample": verdict.sample, "text": text}
                    replies.write(canonical_json(reply) + b"\n")
                    replies.flush()
                stream.write(canonical_json(to_plain(verdict)) + b"\n")
                stream.flush()
    except HarnessError as error:
        print(f"judge: {error} [{error.code}]", file=sys.stderr)  # noqa: T201 - the container's own log
        return error.exit_code
    return 0


class Watched:
    """An engine whose every call is named beforehand and ends the process when it takes too long."""

    def __init__(self, engine: JudgeEngine, settings: dict[str, Any], output: Path) -> None:
        self.engine, self._output = engine, output
        self._call_s = float(settings["settings"].get("call_s", CALL_S))

    @property
    def rows(self) -> int:
        return self.engine.rows

    def judge(self, batch: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        with self._watch(batch):
            return self.engine.judge(batch)

    @contextmanager
    def _watch(self, batch: Sequence[JudgeRequest]) -> Iterator[None]:
        path = self._output / IN_FLIGHT
        path.write_bytes(canonical_json([[request.item, request.sample] for request in batch]))
        faulthandler.dump_traceback_later(self._call_s, exit=True)
        yield
        faulthandler.cancel_dump_traceback_later()
        path.write_bytes(b"[]")


def judge_all(engine: Watched, settings: dict[str, Any], folder: Path) -> Iterator[Line]:
    """A verdict for every request of the folder, batch by batch."""
    meter = EvidenceMeter(folder)
    shapes: dict[str, array[int]] = {}
    for place, request in read_requests(folder / REQUESTS):
        try:
            shapes.setdefault(engine.engine.shape(request), array("q")).append(place)
        except Exception as error:  # noqa: BLE001 - see judge_batch
            yield _failed(request, error), None
    with (folder / REQUESTS).open("rb") as stream:
        for places in shapes.values():
            for start in range(0, len(places), engine.rows):
                batch = _at(stream, places[start : start + engine.rows])
                yield from judge_batch(engine, meter, settings, batch)


def judge_batch(
    engine: Watched, meter: EvidenceMeter, settings: dict[str, Any], batch: Sequence[JudgeRequest]
) -> Iterator[Line]:
    """The verdicts of one batch. Whatever goes wrong with a request stays with it: what breaks a whole batch is asked
    again one by one. Of a reply in which nobody speaks the audio dimensions are not asked about."""
    together: list[tuple[JudgeRequest, dict[str, float]]] = []
    for request in batch:
        try:
            evidence = meter.of(request)
            asked = audible(request, evidence, settings)
            if asked == request:
                together.append((request, evidence))
                continue
            (judgement,) = _judgements(engine, [asked]) if asked.dimensions else [Judgement({}, {}, b"")]
            yield _outcome(asked, judgement, evidence)
        except Exception as error:  # noqa: BLE001 - an item that breaks the engine must not take the others with it
            yield _failed(request, error), None
    judgements = _judgements(engine, [request for request, _ in together])
    for (request, evidence), judgement in zip(together, judgements, strict=True):
        yield _outcome(request, judgement, evidence)


def _outcome(request: JudgeRequest, judgement: Judgement | Exception, evidence: dict[str, float]) -> Line:
    if isinstance(judgement, Exception):
        return _failed(request, judgement), None
    return _verdict(request, judgement, evidence), judgement.text


def _judgements(engine: Watched, batch: Sequence[JudgeRequest]) -> Sequence[Judgement | Exception]:
    if not batch:
        return []
    try:
        return engine.judge(batch)
    except Exception as error:  # noqa: BLE001 - as above
        faulthandler.cancel_dump_traceback_later()
        return [error] if len(batch) == 1 else [each for request in batch for each in _judgements(engine, [request])]


def _verdict(request: JudgeRequest, judgement: Judgement, evidence: dict[str, float]) -> Verdict:
    wanted = request.dimensions if judgement.text is None else ()
    return Verdict(
        item=request.item,
        sample=request.sample,
        scores={dimension: judgement.scores[dimension] for dimension in wanted},
        reasons=judgement.reasons,
        raw_sha256=hashlib.sha256(judgement.raw).hexdigest(),
        attempts=1,
        state="scored",
        evidence={**evidence, **judgement.evidence},
    )


def _failed(request: JudgeRequest, error: Exception) -> Verdict:
    code = error.code if isinstance(error, HarnessError) else type(error).__name__
    return failed((request.item, request.sample), f"{code}: {error}"[:500])


def read_requests(path: Path) -> Iterator[tuple[int, JudgeRequest]]:
    """Every line of requests.jsonl with its place in the file (bytes). Raises UsageError (E_DOCUMENT) for anything
    that is not exactly a request."""
    try:
        with path.open("rb") as stream:
            place = 0
            for number, line in enumerate(stream, 1):
                if len(line) > _LINE_BYTES:
                    raise UsageError(f"request {number} is too long", code="E_DOCUMENT", hint="make the requests anew")
                yield place, from_plain(JudgeRequest, json.loads(line))
                place += len(line)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the requests cannot be read: {error}", code="E_DOCUMENT", hint="make the requests anew"
        ) from error


def _at(stream: Any, places: Sequence[int]) -> list[JudgeRequest]:
    found = []
    for place in places:
        stream.seek(place)
        found.append(from_plain(JudgeRequest, json.loads(stream.readline())))
    return found


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
