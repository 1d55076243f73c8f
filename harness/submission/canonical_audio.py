"""A reply's audio in the one form that the judge sees: 16 kHz mono PCM16 behind a header of 44 bytes."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from harness import system
from harness.challenge.reading import AudioRules, ReadLimits
from harness.challenge.spec import Challenge
from harness.errors import MachineError, Refused
from harness.submission.readers.pcm import level_problems, to_int16
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.wav import WavFormat, parse_wav

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

RATE_HZ = 16_000


def read_wav(
    data: bytes | memoryview, rules: AudioRules, limits: ReadLimits
) -> tuple[WavFormat | None, tuple[Refusal, ...]]:
    """Header and samples of a whole WAV in memory: its format, or None when it is refused, and every problem."""
    view = memoryview(data)
    format_, problems = parse_wav(view, rules, limits)
    if format_ is not None:
        problems += level_problems(view, format_, rules)
        if any(problem.code.startswith("E_") for problem in problems):
            format_ = None
    return format_, tuple(problems)


def canonical_samples(
    source: Path, challenge: Challenge, *, accepted: frozenset[str] = frozenset(), rate_hz: int = RATE_HZ
) -> Samples:
    """One submitted WAV as mono samples at ``rate_hz``, shape (n,). ``accepted`` names E_WAV_* codes that do not refuse
    it (a silent output is a fact of Track 2, no fault of the file).

    Raises Refused with the first E_WAV_* code when the strict reader refuses ``source``, MachineError (I_DISK) when
    it cannot be read.
    """
    try:
        data = memoryview(_read(source, challenge.audio.max_bytes))
    except OSError as error:
        raise MachineError(
            f"{source.name} cannot be read: {error.strerror}", code="I_DISK", hint="run the same command again"
        ) from error
    format_, problems = parse_wav(data, challenge.audio, challenge.read_limits)
    if format_ is not None:
        problems += level_problems(data, format_, challenge.audio)
    for problem in problems:
        if problem.code.startswith("E_") and problem.code not in accepted:
            raise Refused(
                f"{source.name} is no acceptable WAV",
                code=problem.code,
                hint=f"`humdial explain {problem.code}` says more",
            )
    if format_ is None:
        raise MachineError(f"{source.name} has no format", code="I_DISK", hint="run the same command again")
    return to_int16(data, format_, rate_hz)


def canonical_bytes(samples: Samples) -> bytes:
    """16 kHz mono samples as a canonical WAV file; the same samples always give the same bytes."""
    return _header(samples.nbytes) + samples.astype("<i2").tobytes()


def canonical_wav(source: Path, target: Path, challenge: Challenge) -> None:
    """Write one submitted WAV to ``target`` in canonical form.

    Raises Refused with the first E_WAV_* code when the strict reader refuses ``source``, MachineError (I_DISK) when
    a file cannot be read or written.
    """
    samples = canonical_samples(source, challenge)
    try:
        descriptor = os.open(target, system.WRITE | os.O_TRUNC, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(canonical_bytes(samples))
    except OSError as error:
        raise MachineError(
            f"{target.name} cannot be written: {error.strerror}", code="I_DISK", hint="free space and run it again"
        ) from error


def _read(source: Path, cap: int) -> bytes:
    with os.fdopen(os.open(source, system.READ), "rb") as stream:
        return stream.read(cap + 1)


def _header(data_bytes: int) -> bytes:
    fmt = struct.pack("<4sI2H2I2H", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + data_bytes) + b"WAVE" + fmt + struct.pack("<4sI", b"data", data_bytes)
