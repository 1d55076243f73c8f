"""A file that is a WAV for one program and a zip, a PDF or a script for another."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import write


def make(subjects: Path, random: Random) -> None:
    good = made.wav()
    for name, tail in {
        "zip": made.zipped({"evil.py": b"print('hello')"}),
        "pdf": made.pdf(),
        "wav": good,
        "zeros": bytes(4096),
        "byte": b"\0",
        "tag": b"TAG" + bytes(125),
    }.items():
        write(subjects / name, good + tail)
