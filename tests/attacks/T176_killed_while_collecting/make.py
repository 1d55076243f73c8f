"""SIGKILL as soon as the first result is copied; the same command again gives the same files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import image_of, inputs_of, limits_of, seen_of, try_image
from programs import program


def make(subjects: Path, random: Random) -> None:
    program(subjects, "sound", "")


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    image = image_of(box.subjects / "sound.py", request.getfixturevalue("build_image"))
    clean, torn = box.out / "clean", box.out / "torn"
    limits = limits_of(box)
    done = try_image(box, image, clean, limits, "--seed", "same")
    first = seen_of(clean, done.exit)
    command = [sys.executable, "-m", "harness", "run", image, "--inputs", inputs_of(box), "--out", torn]
    killed = subprocess.Popen(
        [*command, "--limits", limits, "--seed", "same"], env=os.environ, stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while not (torn / "submission").exists() and time.monotonic() < until:
        time.sleep(0.002)
    killed.kill()
    killed.wait()
    done = try_image(box, image, torn, limits, "--seed", "same")
    again = seen_of(torn, done.exit)
    assert again.document["outputs"] == first.document["outputs"]
    return {"clean": first, "again": again}
