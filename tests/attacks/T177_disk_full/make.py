"""Results go to a disk of one megabyte, and the container leaves more."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import image_of, limits_of, try_image
from programs import program

BODY = """
wav = sorted((target / "zh/task4").iterdir())[0]
wav.write_bytes(wav.read_bytes() + bytes(3 << 20))
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "large", BODY)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    if os.geteuid() != 0:
        pytest.skip("a disk of one megabyte needs root")
    image = image_of(box.subjects / "large.py", request.getfixturevalue("build_image"))
    out = box.out / "small"
    out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", out], check=True)
    try:
        done = try_image(box, image, out / "run", limits_of(box))
        record = out / "run" / "run.json"
        assert done.exit == 3, done.stderr
        said = record.read_text() if record.exists() else ""
        code = "I_DISK" if b"[I_DISK]" in done.stderr or '"state": "infrastructure"' in said else "?"
        assert '"fault": "submission"' not in said
    finally:
        subprocess.run(["umount", out], check=True)
    return {"large": Seen("INFRA", frozenset({code}), {})}
