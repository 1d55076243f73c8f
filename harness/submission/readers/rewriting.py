"""From a stranger's WAV to our canonical copy of it. Only the child process with limits (`child.py`) imports this."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from harness import system
from harness.challenge.reading import AudioRules, ReadLimits
from harness.errors import MachineError
from harness.submission.canonical_audio import canonical_bytes
from harness.submission.readers.pcm import level_problems, to_int16
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.wav import WavFormat, oversize_problems, parse_wav

_HEAD = 1 << 16


def read_wav(
    data: bytes | memoryview, rules: AudioRules, limits: ReadLimits, accepted: frozenset[str] = frozenset()
) -> tuple[WavFormat | None, tuple[Refusal, ...]]:
    """Header and samples of a whole WAV in memory: its format, or None when it is refused, and every problem.
    ``accepted`` names E_WAV_* codes about samples that do not refuse it (silence is an answer in some tracks)."""
    view = memoryview(data)
    if len(view) > rules.max_bytes:
        return None, tuple(oversize_problems(bytes(view[:_HEAD]), len(view), rules, limits))
    format_, problems = parse_wav(view, rules, limits)
    if format_ is not None:
        problems += level_problems(view, format_, rules)
        if any(problem.code.startswith("E_") and problem.code not in accepted for problem in problems):
            format_ = None
    return format_, tuple(problems)


def rewrite(
    source: Path,
    target: Path | None,
    rules: AudioRules,
    limits: ReadLimits,
    *,
    rate_hz: int,
    sha256: str | None = None,
    accepted: frozenset[str] = frozenset(),
) -> str:
    """Write the canonical copy of ``source`` at ``rate_hz`` to ``target``, if there is one; returns its digest.
    ``sha256`` is what the source must still have.

    Raises Refusal (E_WAV_*, E_CHANGED) and MachineError (I_DISK).
    """
    data = _read(source, rules.max_bytes)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise Refusal("E_CHANGED", name=quoted(source.name))
    format_, problems = read_wav(data, rules, limits, accepted)
    if format_ is None:
        raise next(each for each in problems if each.code.startswith("E_") and each.code not in accepted)
    copy = canonical_bytes(to_int16(memoryview(data), format_, rate_hz), rate_hz)
    if target is not None:
        _write(target, copy)
    return hashlib.sha256(copy).hexdigest()


def _read(source: Path, cap: int) -> bytes:
    try:
        with os.fdopen(os.open(source, system.READ), "rb") as stream:
            return stream.read(cap + 1)
    except OSError as error:
        raise MachineError(f"{source.name} cannot be read: {error.strerror}", code="I_DISK") from error


def _write(target: Path, copy: bytes) -> None:
    try:
        with os.fdopen(os.open(target, system.WRITE | os.O_TRUNC, 0o644), "wb") as stream:
            stream.write(copy)
    except OSError as error:
        raise MachineError(f"{target.name} cannot be written: {error.strerror}", code="I_DISK") from error
