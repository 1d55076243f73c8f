"""No rate, one sample a second, one below and above what is allowed, the largest number."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    data = made.wav()[44:]
    for rate in (0, 1, 7999, 48_001, 96_000, 0x7FFFFFFF, 0xFFFFFFFF):
        write(subjects / f"rate-{rate}", riff(fmt(rate=rate), data))
    write(subjects / "low", made.wav(rate=8000))
    write(subjects / "high", made.wav(rate=48_000))
