"""Both take locks on the same inputs, shared memory and names of sockets: each gets them, since none is shared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES, image_of, inputs_of, limits_of, seen_of, try_image
from programs import program

BODY = """
import fcntl
held = []
for path in sorted(source.rglob("*.*")):
    held.append(open(path, "rb"))
    try:
        fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        require(f"a lock on {path}", False)
key = libc.shmget(0x115, 4096, 0o1600 | 0o2000)
require("a segment of shared memory", key >= 0)
name = socket.socket(socket.AF_UNIX)
name.bind("\\0channel")
port = socket.create_server(("127.0.0.1", 4711))
require("a file in /dev/shm", not os.path.exists("/dev/shm/channel"))
open("/dev/shm/channel", "x").close()
print("began", time.time(), flush=True)
time.sleep(8)
print("ended", time.time(), flush=True)
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "locks", BODY)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    """The same image twice at the same time, once under each runtime."""
    image = image_of(box.subjects / "locks.py", request.getfixturevalue("build_image"))
    limits, seen = limits_of(box), {}
    inputs = inputs_of(box)
    for runtime in RUNTIMES:
        boxes = [Box.new(_folder(box.root / f"{runtime}-{number}")) for number in (1, 2)]

        def one(mine: Box, runtime: str = runtime) -> Seen:
            done = try_image(mine, image, mine.out / "run", limits, "--runtime", runtime, inputs=inputs)
            return seen_of(mine.out / "run", done.exit)

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(one, boxes))
        began, ended = ([_time(found, word) for found in both] for word in ("began", "ended"))
        assert max(began) < min(ended), "they did not run at the same time"
        seen |= {f"{number}@{runtime}": found for number, found in enumerate(both)}
    return seen


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _time(found: Seen, word: str) -> float:
    return next(float(line.split()[1]) for line in found.document["log"].splitlines() if line.startswith(word))
