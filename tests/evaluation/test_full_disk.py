"""A run directory on a real small file system that fills up: it stops with a clear code, and goes on when there is room
again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bench import Bench, published

KIB = 1024


@dataclass(frozen=True)
class Tight:
    """A challenge with two teams, a file system of ``kib`` that it just fits on, and how much room (KiB) is left on it
    in one try after the other."""

    bench: Bench
    teams: str
    kib: int
    rooms: tuple[int, ...]

    def evaluate(self, out: Path) -> tuple[int, str]:
        return self.bench.evaluate(out, teams=self.teams)


@pytest.fixture(params=["track 1", "track 2"])
def tight(request: pytest.FixtureRequest) -> Tight:
    if request.param == "track 1":
        return Tight(request.getfixturevalue("bench"), "pair.toml", 512, (0, 4, 12, 24, 48, 72, 96, 400))
    return Tight(request.getfixturevalue("pairs"), "two.toml", 8192, (0, 4, 12, 48, 200, 800, 8000))


@pytest.fixture
def small(tight: Tight, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    options = f"size={tight.kib}k,nr_inodes=400,mode=755"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "humdial-test", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def wanted(tight: Tight, tmp_path: Path) -> dict[str, bytes]:
    code, said = tight.evaluate(tmp_path / "clean")
    assert code == 0, said
    return published(tmp_path / "clean")


def test_a_full_disk_stops_the_run_and_nothing_is_lost(tight: Tight, small: Path, wanted: dict[str, bytes]) -> None:
    """Room for nothing, for the pins, for the gold, for a part of the work: each time a little more."""
    out, stops, code = small / "run", 0, 3
    for free in tight.rooms:
        (small / "ballast").unlink(missing_ok=True)
        (small / "ballast").write_bytes(b"x" * max(0, shutil.disk_usage(small).free - free * KIB))
        code, said = tight.evaluate(out)
        if code == 0:
            break
        assert (code, "[I_DISK]" in said) == (3, True), f"{free} KiB free: {said}"
        stops += 1
    assert code == 0 and stops >= 3
    assert published(out) == wanted


def test_no_more_files_is_a_full_disk_too(tight: Tight, small: Path, wanted: dict[str, bytes]) -> None:
    (small / "many").mkdir()
    for number in range(os.statvfs(small).f_favail - 12):
        (small / "many" / str(number)).touch()
    code, said = tight.evaluate(small / "run")
    assert (code, "[I_DISK]" in said) == (3, True), said
    assert not list((small / "run").glob("leaderboard.*"))
    shutil.rmtree(small / "many")
    code, said = tight.evaluate(small / "run")
    assert code == 0, said
    assert published(small / "run") == wanted
