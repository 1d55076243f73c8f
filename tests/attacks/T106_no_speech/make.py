"""A tone, white noise, a chord that swells, clicks and a hum: loud enough, and nobody speaks."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
from hostile import write
from made import fmt, riff


def make(subjects: Path, random: Random) -> None:
    noise = np.random.default_rng(random.randrange(1 << 32))
    at = np.arange(2 * 16_000) / 16_000
    notes = [261.6, 329.6, 392.0]
    for name, samples in {
        "tone": 0.4 * np.sin(2 * np.pi * 440 * at),
        "noise": 0.2 * noise.standard_normal(len(at)).clip(-3, 3) / 3,
        "chord": 0.3 * np.sin(np.pi * at / 2) * sum(np.sin(2 * np.pi * note * at) for note in notes) / 3,
        "clicks": 0.8 * (np.arange(len(at)) % 4000 < 3),
        "hum": 0.3 * np.sign(np.sin(2 * np.pi * 50 * at)),
    }.items():
        write(subjects / name, riff(fmt(), (samples * 32767).astype("<i2").tobytes()))
