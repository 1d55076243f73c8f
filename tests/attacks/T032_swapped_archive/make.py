"""Archives that are written to while they are read: their times, and a byte of their data."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    files = {f"f{number}": random.randbytes(1 << 19) for number in range(20)}
    (subjects / "touched.zip").write_bytes(made.zipped(files, method=zipfile.ZIP_STORED))
    (subjects / "rewritten.tar").write_bytes(made.tarred(files))


def during(subjects: Path, stop: threading.Event) -> None:
    """Writes to both all the time."""
    with (subjects / "rewritten.tar").open("r+b", buffering=0) as stream:
        while not stop.is_set():
            os.utime(subjects / "touched.zip")
            stream.seek(1 << 20)
            stream.write(b"x")
