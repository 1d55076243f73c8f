"""Real FLAC, Ogg, MP3, AIFF, AU, CAF, W64, RF64 and big-endian RIFX files; some programs decode each of them."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from hostile import write

KINDS = {
    "flac": "FLAC",
    "ogg": "OGG",
    "mp3": "MP3",
    "aiff": "AIFF",
    "au": "AU",
    "caf": "CAF",
    "w64": "W64",
    "rf64": "RF64",
}


def make(subjects: Path, random: Random) -> None:
    tone = 0.4 * np.sin(np.arange(16_000) / 20)
    for name, kind in KINDS.items():
        out = io.BytesIO()
        soundfile.write(out, tone, 16_000, format=kind)
        write(subjects / name, out.getvalue())
    out = io.BytesIO()
    soundfile.write(out, tone, 16_000, format="WAV", endian="BIG")
    write(subjects / "rifx", out.getvalue())
