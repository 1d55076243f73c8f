"""Our own form of a reply's audio: mono PCM16 behind a header of 44 bytes, at 16 kHz for whoever judges or measures.

A child process writes it (`readers.rewriting`); what is here is all that other processes know of WAVs of strangers.
"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from harness import system
from harness.challenge.reading import AudioRules
from harness.submission.readers.refusal import Refusal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

RATE_HZ = 16_000
_HEADER_BYTES = 44


def canonical_bytes(samples: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """Mono samples as a canonical WAV file; the same samples always give the same bytes."""
    return _header(samples.nbytes, rate_hz) + samples.astype("<i2").tobytes()


def most_bytes(rules: AudioRules) -> int:
    """No copy of an acceptable WAV is larger, at any rate that the rules know."""
    return _HEADER_BYTES + 2 * max(RATE_HZ, rules.max_rate_hz) * (1 + int(rules.max_duration_s))


def read_copy(path: Path, rate_hz: int, max_bytes: int) -> Samples:
    """The samples of a canonical copy, shape (n,). Its header is compared with the one that so many samples have, and
    never followed.

    Raises Refusal (E_READ_CRASH) for a file that is no such copy: its writer was not itself. Raises OSError when it
    cannot be opened.
    """
    import numpy as np

    with os.fdopen(os.open(path, system.READ), "rb") as stream:
        info = os.fstat(stream.fileno())
        plain = stat.S_ISREG(info.st_mode) and info.st_size <= max_bytes
        data = stream.read(max_bytes) if plain else b""
    samples_bytes = len(data) - _HEADER_BYTES
    if samples_bytes <= 0 or samples_bytes % 2 or data[:_HEADER_BYTES] != _header(samples_bytes, rate_hz):
        raise Refusal("E_READ_CRASH", what="nonsense")
    return np.frombuffer(data, "<i2", offset=_HEADER_BYTES)


def _header(data_bytes: int, rate_hz: int) -> bytes:
    fmt = struct.pack("<4sI2H2I2H", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + data_bytes) + b"WAVE" + fmt + struct.pack("<4sI", b"data", data_bytes)
