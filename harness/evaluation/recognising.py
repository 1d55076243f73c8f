"""What was said in audio files, by a recogniser in the judge container: no network, everything read-only and capped."""

from __future__ import annotations

import json
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.duplex import DuplexRules, RecogniserSpec
from harness.challenge.spec import Challenge
from harness.documents.codec import canonical_json, digest, to_plain
from harness.documents.duplex import Transcript
from harness.duplex.transcripts import BadTranscript, read_transcript
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_container import judge_run
from harness.evaluation.judge_image import JudgeImage
from harness.evaluation.recogniser_weights import recogniser_weights
from harness.hearing.recognise import REQUESTS, WORDS
from harness.sandbox import connect
from harness.submission import canonical_wavs

_PROGRAM = ("/usr/bin/python3", "-m", "harness.hearing.recognise")
_AUDIO = "audio"
_BYTES_A_FILE = 1 << 18
_SECONDS_A_FILE = 120.0


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A recogniser that is ready: its languages, its image and weights. ``fingerprint`` is the digest of ``inputs``:
    equal ones hear the same."""

    profile: str
    specs: dict[str, RecogniserSpec]
    image_id: str
    weights: dict[str, Path]
    inputs: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return digest(self.inputs)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One file to write down: ``path`` is its place, ``sha256`` what it must still be."""

    path: Path
    language: str
    duration_s: float
    sha256: str | None


# Words by name (None: it failed on that one), and how the container ended when it did not come to its end.
Answer = tuple[dict[str, Transcript | None], MachineError | None]


def ready_recogniser(
    rules: DuplexRules, profile: str, judge: JudgeImage, weights: Path | None, progress: Callable[[str], None]
) -> Recogniser:
    """The recogniser ``profile`` of the spec, in the image of ``judge``.

    Raises UsageError (E_CONFIG) for a profile that the spec does not have; see recogniser_weights for the rest.
    """
    specs = rules.recognisers.get(profile)
    if specs is None:
        raise UsageError(
            f"the challenge has no recogniser {profile!r}",
            code="E_CONFIG",
            hint=f"pass one of: {', '.join(rules.recognisers) or 'none'}, or give ready words to --transcripts",
        )
    folders, digests = recogniser_weights(specs, weights, progress)
    inputs = {
        "profile": profile,
        "recognisers": {language: to_plain(spec) for language, spec in specs.items()},
        "image_id": judge.fingerprint_inputs["image_id"],
        "weights": digests,
    }
    return Recogniser(profile, specs, judge.image_id, folders, inputs)


def recognise(
    files: Mapping[str, Spoken], recogniser: Recogniser, challenge: Challenge, *, gpu: str | None = None
) -> dict[str, Transcript | None]:
    """The transcript of every file by its key; None where the recogniser does not know the language or failed on it.
    ``gpu`` is a device that the container gets.

    Raises MachineError (I_RECOGNISER) as `write_down` does, Refused when a file has changed.
    """
    wanted = {name: file for name, file in files.items() if file.language in recogniser.specs}
    found: dict[str, Transcript | None] = dict.fromkeys(files)
    if not wanted:
        return found

    def ask(names: Sequence[str]) -> Answer:
        return _one_container({name: wanted[name] for name in names}, recogniser, challenge, gpu)

    # The order in which a container takes them.
    return found | write_down(ask, sorted(wanted, key=lambda name: wanted[name].language))


def write_down(ask: Callable[[Sequence[str]], Answer], names: Sequence[str]) -> dict[str, Transcript | None]:
    """Ask until every name has its words or was alone when the recogniser ended early. One that ends early is followed
    by another for what it left; the name that it was at waits until the end, so that the others do not suffer for it.

    Raises the ending when nothing came of two in a row, or of all.
    """
    found: dict[str, Transcript | None] = {}
    left, suspects, empty = list(names), deque[str](), 0
    while left or suspects:
        alone = not left
        batch, left = left or [suspects.popleft()], []
        heard, ended = ask(batch)
        found |= heard
        silent = [name for name in batch if name not in heard]
        if ended is None or not silent:
            continue  # it came to its end: what has no words by now was not to be had
        empty = 0 if heard or alone else empty + 1
        if empty > 1 or not (found or left or suspects or len(batch) > 1):
            raise ended
        if not alone:
            suspects.append(silent[0])
            left = silent[1:]
    return found


def _one_container(
    wanted: Mapping[str, Spoken], recogniser: Recogniser, challenge: Challenge, gpu: str | None
) -> Answer:
    """What one container gave."""
    with tempfile.TemporaryDirectory(prefix="humdial-words-") as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        names = _requests(wanted, recogniser, challenge, work / "requests")
        with judge_run(
            connect(),
            recogniser.image_id,
            {"/requests": work / "requests", **{f"/weights/{name}": at for name, at in recogniser.weights.items()}},
            work,
            challenge.run_limits,
            output_bytes=max(_BYTES_A_FILE * len(wanted), 1 << 20),
            deadline_s=min(challenge.run_limits.wall_s, 300 + _SECONDS_A_FILE * len(wanted)),
            program=_PROGRAM,
            gpu=gpu,
        ) as run:
            heard = _read((run.take(WORDS) or b""), names, wanted)
            if run.outcome.exit_code == 0:
                return heard, None
            ended = MachineError(
                f"the recogniser {recogniser.profile} ended in the middle (exit code {run.outcome.exit_code})",
                code="I_RECOGNISER",
                hint="its log says why; or give ready words to --transcripts",
                detail=run.said(),
            )
            return heard, ended


def _requests(
    wanted: Mapping[str, Spoken], recogniser: Recogniser, challenge: Challenge, folder: Path
) -> dict[str, str]:
    """Write the request folder; returns the key of each file by its name there, which tells nothing."""
    (folder / _AUDIO).mkdir(parents=True)
    for each in (folder, folder / _AUDIO):
        each.chmod(0o755)
    places = {name: f"{_AUDIO}/{number:06d}.wav" for number, name in enumerate(wanted)}
    canonical_wavs([(file.path, folder / places[name], file.sha256) for name, file in wanted.items()], challenge)
    plain = {
        "schema_version": 1,
        "languages": {language: to_plain(spec) for language, spec in recogniser.specs.items()},
        "files": [{"file": places[name], "language": file.language} for name, file in wanted.items()],
    }
    (folder / REQUESTS).write_bytes(canonical_json(plain) + b"\n")
    return {place: name for name, place in places.items()}


def _read(data: bytes, names: Mapping[str, str], wanted: Mapping[str, Spoken]) -> dict[str, Transcript | None]:
    """The container's lines through the strict reader of transcripts: it is believed no more than a file would be."""
    found: dict[str, Transcript | None] = {}
    for line in data.splitlines():
        try:
            plain = json.loads(line)
            name = names[plain["file"]]
            if plain["state"] == "heard":
                found[name] = read_transcript(canonical_json(plain["transcript"]), wanted[name].duration_s)
            else:
                found[name] = None
        except (ValueError, KeyError, TypeError, RecursionError, BadTranscript):
            continue
    return found
