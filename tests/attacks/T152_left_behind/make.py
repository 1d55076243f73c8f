"""The same image twice: it looks for its own marks in every place that takes a file, then leaves them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES, image_of, limits_of, seen_of, try_image
from programs import program

BODY = """
places = ("/tmp/mark", "/dev/shm/mark", "/output/zh/mark", "/tmp/.cache/mark")
for place in places:
    require(place, not os.path.exists(place))
os.makedirs("/tmp/.cache")
for place in places[:2] + places[3:]:
    open(place, "w").close()
require("shared memory", libc.shmget(0x115, 4096, 0o600) < 0)
libc.shmget(0x115, 4096, 0o1600)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "marks", BODY)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    image = image_of(box.subjects / "marks.py", request.getfixturevalue("build_image"))
    seen = {}
    for runtime in RUNTIMES:
        for number in (1, 2):
            out = box.out / "run"  # the same folder too
            done = try_image(box, image, out, limits_of(box), "--runtime", runtime)
            seen[f"{number}@{runtime}"] = seen_of(out, done.exit)
    return seen
