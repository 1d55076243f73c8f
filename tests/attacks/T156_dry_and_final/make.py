"""Two seeds: the environment, the mounts, the limits and the form of ids are the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES, image_of, limits_of, seen_of, try_image
from programs import program

BODY = """
print(sorted(os.environ.items()))
for fields in sorted((line.split()[4:6], line.split(" - ")[1].split()[0]) for line in open("/proc/self/mountinfo")):
    print(fields)
import resource
print([(name, resource.getrlimit(getattr(resource, name))) for name in dir(resource) if name.startswith("RLIMIT_")])
for folder, folders, files in sorted(os.walk("/input")):
    for name in sorted(files):
        found = os.stat(os.path.join(folder, name))
        print(folder, len(name), found.st_mode, found.st_mtime, found.st_uid)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "looks", BODY)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    image = image_of(box.subjects / "looks.py", request.getfixturevalue("build_image"))
    seen = {}
    for runtime in RUNTIMES:
        for seed in ("trial", "final"):
            out = box.out / f"{seed}@{runtime}"
            done = try_image(box, image, out, limits_of(box), "--seed", seed, "--runtime", runtime)
            seen[out.name] = seen_of(out, done.exit)
        trial, final = (seen[f"{seed}@{runtime}"].document for seed in ("trial", "final"))
        differ = set(trial["log"].splitlines()) ^ set(final["log"].splitlines())
        assert trial["log"].splitlines() == final["log"].splitlines(), (runtime, sorted(differ))
        assert trial["profile_sha256"] == final["profile_sha256"]
    return seen
