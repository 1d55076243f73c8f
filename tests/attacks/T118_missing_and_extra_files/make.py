"""A WAV that is not there, one that nobody asked for, one with .WAV at its end, and the same for JSONL and PDF."""

from __future__ import annotations

from pathlib import Path
from random import Random

import made
from hostile import first_wav, with_file

PDF, JSONL = "system_description.pdf", "en/task3.jsonl"


def make(subjects: Path, random: Random) -> None:
    good, wav = made.submission(), first_wav()
    for name, path in {"wav": wav, "pdf": PDF, "jsonl": JSONL}.items():
        made.write(subjects / f"no-{name}", {key: data for key, data in good.items() if key != path})
        stem, _, ending = path.rpartition(".")
        moved = {f"{stem}.{ending.upper()}": good[path]}
        made.write(subjects / f"other-letters-{name}", {key: d for key, d in good.items() if key != path} | moved)
    with_file(subjects, "extra-wav", "zh/task4/stranger_1_response.wav", made.wav())
    with_file(subjects, "extra-jsonl", "zh/task9.jsonl", b"{}\n")
    with_file(subjects, "extra-program", "setup.py", b"raise SystemExit\n")
