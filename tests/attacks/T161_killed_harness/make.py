"""SIGKILL while the container runs; then the same command again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES, image_of, inputs_of, limits_of, seen_of, try_image
from programs import program


def make(subjects: Path, random: Random) -> None:
    program(subjects, "sleeps", "time.sleep(600)")


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    engine = request.getfixturevalue("engine")
    image = image_of(box.subjects / "sleeps.py", request.getfixturevalue("build_image"))
    seen = {}
    for runtime in RUNTIMES:
        out = box.out / runtime
        command = [sys.executable, "-m", "harness", "run", image, "--inputs", inputs_of(box), "--out", out]
        killed = subprocess.Popen(
            [*command, "--limits", limits_of(box), "--runtime", runtime], env=os.environ, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 300
        while not (left := engine.api.containers(filters={"ancestor": image})) and time.monotonic() < until:
            time.sleep(0.1)
        killed.kill()
        killed.wait()
        assert [each["Id"] for each in engine.api.containers(filters={"ancestor": image})] == [
            each["Id"] for each in left
        ]
        done = try_image(box, image, out, limits_of(box, wall_s=2), "--runtime", runtime)
        assert engine.api.containers(all=True, filters={"ancestor": image}) == []
        seen[runtime] = seen_of(out, done.exit)
    return seen
