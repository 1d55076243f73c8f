"""Canonical copies of many WAVs, made in one child process with limits: what the judge hears."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from harness import system
from harness.challenge.reading import AudioRules, ReadLimits
from harness.challenge.spec import Challenge
from harness.errors import HarnessError, MachineError, Refused
from harness.submission.canonical_audio import RATE_HZ, canonical_bytes, read_wav
from harness.submission.readers.pcm import to_int16
from harness.submission.readers.refusal import Refusal, quoted

_HEADER_BYTES = 44
Job = tuple[Path, Path, str | None]  # source, target, the digest that the source had when it was checked


def canonical_wavs(jobs: Sequence[Job], challenge: Challenge) -> list[str]:
    """`canonical_wav` of each job, in one child; returns the digests of what was written.

    Raises Refused (E_WAV_*, E_CHANGED, E_READ_*) for the first source that is refused or is not what was checked, and
    MachineError (I_DISK, I_READER).
    """
    from harness.submission.readers.apart import WavReader  # not for the child, which imports this module too

    if not jobs:
        return []
    order = {"do": "rewrite", "file_bytes": _HEADER_BYTES + 2 * RATE_HZ * (1 + int(challenge.audio.max_duration_s))}
    with WavReader(order, challenge.audio, challenge.read_limits) as reader:
        reader.ask([(str(source), str(target), sha256) for source, target, sha256 in jobs])
        answers = reader.answers()
    for (source, _, _), answer in zip(jobs, answers, strict=True):
        if answer.sha256 is None:
            raise _failed(source, answer.problems[0])
    return [str(answer.sha256) for answer in answers]


def _failed(source: Path, problem: Refusal) -> HarnessError:
    code = problem.code
    if code == "I_DISK":
        return MachineError(str(problem.values["what"]), code=code, hint="free space and run the same command again")
    return Refused(f"{source.name} cannot be judged", code=code, hint=f"`humdial explain {code}` says more")


def rewrite(source: Path, target: Path, rules: AudioRules, limits: ReadLimits, sha256: str | None) -> str:
    """One canonical copy, in this process; returns its digest. ``sha256`` is what the source must still have.

    Raises Refusal (E_WAV_*, E_CHANGED) and MachineError (I_DISK).
    """
    try:
        with os.fdopen(os.open(source, system.READ), "rb") as stream:
            data = stream.read(rules.max_bytes + 1)
    except OSError as error:
        raise MachineError(f"{source.name} cannot be read: {error.strerror}", code="I_DISK") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise Refusal("E_CHANGED", name=quoted(source.name))
    format_, problems = read_wav(data, rules, limits)
    if format_ is None:
        raise next(problem for problem in problems if problem.code.startswith("E_"))
    out = canonical_bytes(to_int16(memoryview(data), format_, RATE_HZ))
    try:
        with os.fdopen(os.open(target, system.WRITE | os.O_TRUNC, 0o644), "wb") as stream:
            stream.write(out)
    except OSError as error:
        raise MachineError(f"{target.name} cannot be written: {error.strerror}", code="I_DISK") from error
    return hashlib.sha256(out).hexdigest()
