"""Whatever is broken, at whatever point: the same command goes on, and the table is the same bytes.

`make soak` breaks every operation in every way that there is (of a full-duplex evaluation: kills at each), and kills
200 times (the other 25); CI breaks the first operation at each point in every way, kills at the first operation of each
kind (a point and what it is done to), and 20 times (5) at any moment.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bench import Bench, published

from harness.evaluation.run_directory import LOCK
from harness.evaluation.run_io import POINTS

SOAK = bool(os.environ.get("HUMDIAL_SOAK"))
# Each part is on its own, so that several workers of pytest share them.
PARTS = range(8) if SOAK else range(1)
KILLS = {"bench": 25 if SOAK else 20, "pairs": 25 if SOAK else 5}  # in a part
# The challenges that are broken, each with a list of two teams.
LISTS = {"bench": "pair.toml", "pairs": "two.toml"} if SOAK else {"bench": "pair.toml"}
# What can happen at a point, beside the death of the process.
FAILURES: dict[str, tuple[str, ...]] = {
    "mkdir": ("ENOSPC",), "open": ("ENOSPC",), "write": ("short-write", "ENOSPC", "EIO"), "fsync": ("EIO", "ENOSPC"),
    "rename": ("EIO",), "fsync_folder": ("EIO",), "unlink": ("EIO",), "truncate": ("EIO",),
}  # fmt: skip


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of runs are flushed to it thousands of times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="humdial-crash-", dir=memory if os.access(memory, os.W_OK) else None
    ) as folder:
        yield Path(folder)


Operation = tuple[str, str]  # the point, and the kind of file or folder
_KINDS = ("blobs", "run.json", "journal.jsonl", "ledger.jsonl", "events.jsonl", "leaderboard")


def _operations(passed: Path, run: Path) -> list[Operation]:
    """What a whole evaluation in ``run`` does to its folder, in order."""
    found = []
    for line in passed.read_text("utf-8").splitlines():
        point, _, path = line.partition(" ")
        first = (Path(path).relative_to(run).parts or ("",))[0]
        found.append((point, next((kind for kind in _KINDS if first.startswith(kind)), "for people")))
    return found


def _faults(operations: list[Operation], *, every_way: bool) -> list[tuple[int, str]]:
    """Number of the operation (from 1) and action: all of them, or the first of every kind that there is."""
    ways = FAILURES if every_way else dict.fromkeys(FAILURES, ())
    every = [(number, action) for number, (point, _) in enumerate(operations, 1) for action in ("kill9", *ways[point])]
    if SOAK:
        return every
    points = [point for point, _ in operations]
    killed = [(operations.index(each) + 1, "kill9") for each in set(operations)]
    return sorted(
        {*killed, *((points.index(point) + 1, action) for point in set(points) for action in FAILURES[point])}
    )


def _once_each(run: Path) -> None:
    """No piece of work stands twice in the journal, and no scratch file is left."""
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text("utf-8").splitlines()]
    about = [(each["event"], each["data"]) for each in records if "team" in each["data"]]
    done = Counter((event, data["team"], data.get("attempt")) for event, data in about)
    assert max(done.values()) == 1, done
    entries = [json.loads(line)["data"] for line in (run / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert len({(each["team"], each["attempt"]) for each in entries}) == len(entries)
    assert not list((run / ".tmp").glob("*"))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("challenge", LISTS)
def test_every_write_flush_and_rename_may_be_the_last(
    request: pytest.FixtureRequest, quick: Path, challenge: str, part: int
) -> None:
    bench: Bench = request.getfixturevalue(challenge)
    teams = LISTS[challenge]
    passed = quick / "points"
    process = bench.warm.start(
        bench.arguments(quick / "clean", teams=teams), bench.environment(), quick / "said", "none", points=passed
    )
    assert bench.warm.wait(process) == 0, (quick / "said").read_text("utf-8")
    operations = _operations(passed, quick / "clean")
    assert {point for point, _ in operations} == set(POINTS) - {"truncate"}
    assert {kind for _, kind in operations} == {*_KINDS, "for people"}
    wanted = published(quick / "clean")
    for number, action in _faults(operations, every_way=challenge == "bench")[part :: len(PARTS)]:
        out = quick / "run"
        code, said = bench.evaluate(out, teams=teams, HD_FAULT=f"*:{number}:{action}")
        where = f"{action} at operation {number} ({operations[number - 1]}): {said}"
        assert code == (-signal.SIGKILL if action in ("kill9", "short-write") else 3), where
        assert code != 3 or "I_DISK" in said, where
        for path in out.glob("leaderboard.*"):  # what is published already is the whole table
            assert path.read_bytes() == wanted[path.name], where
        code, said = bench.evaluate(out, teams=teams)
        assert code == 0, f"after {where}: {said}"
        assert published(out) == wanted, where
        _once_each(out)
        shutil.rmtree(out)


@pytest.mark.parametrize("action", ["kill9", "EIO"])
def test_cutting_off_what_a_crash_left_may_be_the_last(bench: Bench, run: Path, quick: Path, action: str) -> None:
    out = Path(shutil.copytree(run, quick / "run"))
    lines = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (out / "journal.jsonl").write_bytes(b"".join(lines[:-1]) + b"half a line")
    code, said = bench.evaluate(out, HD_FAULT=f"truncate:1:{action}")
    assert code == (-signal.SIGKILL if action == "kill9" else 3), said
    code, said = bench.evaluate(out)
    assert code == 0, said
    assert published(out) == published(run)
    assert (out / "journal.torn").read_bytes() == b"half a line"
    _once_each(out)


@pytest.mark.parametrize(("challenge", "part"), [*(("bench", part) for part in PARTS), ("pairs", 0)])
def test_killed_at_any_moment_any_number_of_times(
    request: pytest.FixtureRequest, quick: Path, challenge: str, part: int
) -> None:
    """The whole process with its workers, or one of its workers, at seeded moments."""
    bench: Bench = request.getfixturevalue(challenge)

    def start(out: Path) -> int:
        arguments = bench.arguments(out, "--jobs", "2", teams={"bench": "trio.toml", "pairs": "two.toml"}[challenge])
        return bench.warm.start(arguments, bench.environment(), quick / "said", "processes")

    begun = time.monotonic()
    assert bench.warm.wait(start(quick / "clean")) == 0
    length_s = time.monotonic() - begun
    wanted, chance, kills, runs = published(quick / "clean"), random.Random(2026 + part), 0, 0
    while kills < KILLS[challenge]:
        runs += 1
        out = quick / f"run-{runs}"
        code = -1
        while code != 0:
            _wait_for_lock(out)
            process = start(out)
            if kills < KILLS[challenge]:
                time.sleep(chance.uniform(0, length_s))
                kills += _kill(process, chance)
            code, said = bench.warm.wait(process), (quick / "said").read_text("utf-8")
            # What it reads strangers' files with is below it too: killed, it asks to be run again.
            assert code in (0, -signal.SIGKILL) or (code == 3 and "I_READER" in said), said
        assert published(out) == wanted
        _once_each(out)
        shutil.rmtree(out)


def _wait_for_lock(run: Path) -> None:
    """Until the workers of a killed process are gone: forked here, they share its lock, as those of users never do."""
    if not (run / LOCK).exists():
        return
    until = time.monotonic() + 300
    with (run / LOCK).open("rb") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                assert time.monotonic() < until, "a killed run left a worker that does not end"
                time.sleep(0.01)
            else:
                return


def _kill(process: int, chance: random.Random) -> bool:
    """Kill the process, or one time in four one of its workers; whether there was something to kill."""
    victims = [process]
    with suppress(OSError):
        workers = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
        victims = [int(chance.choice(workers))] if workers and chance.random() < 0.25 else victims
    with suppress(OSError):  # it has ended meanwhile
        running = Path(f"/proc/{victims[0]}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
        os.kill(victims[0], signal.SIGKILL)
        return running
    return False
