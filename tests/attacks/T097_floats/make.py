"""Not a number, infinite, beyond any scale, a little over it, and the smallest numbers that are still sound."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
from hostile import write
from made import fmt, riff

TONE = 0.4 * np.sin(np.arange(4800) / 20)


def make(subjects: Path, random: Random) -> None:
    for width in ("<f4", "<f8"):
        bits = 8 * int(width[-1])
        header = fmt(3, bits=bits)
        for name, value in {"nan": np.nan, "plus": np.inf, "minus": -np.inf}.items():
            samples = np.where(np.arange(4800) == random.randrange(4800), value, TONE)
            write(subjects / f"nonfinite-{name}-{bits}", riff(header, samples.astype(width).tobytes()))
        for name, times in {"far": 32768, "beyond": 1e30}.items():
            write(subjects / f"range-{name}-{bits}", riff(header, (TONE * times).astype(width).tobytes()))
        write(subjects / f"sound-{bits}", riff(header, TONE.astype(width).tobytes()))
        tiny = np.where(np.arange(4800) % 2 == 0, TONE, 1e-40)
        write(subjects / f"sound-tiny-{bits}", riff(header, tiny.astype(width).tobytes()))
        write(subjects / f"over-{bits}", riff(header, (TONE * 3).astype(width).tobytes()))
