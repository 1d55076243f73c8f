"""The place for a container's output: caps that bite exactly, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.sandbox.output_store import output_store, release

MIB = 1024**2
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a capped store is a mount, which needs root")


@needs_root
def test_both_caps_bite_exactly(tmp_path: Path) -> None:
    with output_store(tmp_path / "s", MIB, 10) as store:
        assert (store.mode, store.over_the_cap()) == ("capped", None)
        for number in range(10):
            (store.path / str(number)).touch()
        assert store.over_the_cap() == "files"
        with pytest.raises(OSError, match="No space"):
            (store.path / "eleventh").touch()
        (store.path / "0").write_bytes(b"x" * MIB)
        assert store.over_the_cap() == "bytes"
        with pytest.raises(OSError, match="No space"), (store.path / "1").open("wb") as full:
            full.write(b"x")
    assert not (tmp_path / "s").exists()


@needs_root
def test_a_store_that_a_killed_run_left_is_released(tmp_path: Path) -> None:
    keep = output_store(tmp_path / "s", MIB, 10)
    store = keep.__enter__()
    (store.path / "left").touch()
    assert os.path.ismount(store.path)
    with output_store(tmp_path / "s", MIB, 10) as again:
        assert list(again.path.iterdir()) == []
    release(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_watched_store_sees_holes_and_many_files(tmp_path: Path) -> None:
    with output_store(tmp_path / "s", MIB, 10, mode="watched") as store:
        assert (store.mode, store.over_the_cap()) == ("watched", None)
        with (store.path / "sparse").open("wb") as sparse:
            sparse.truncate(MIB)
        assert store.over_the_cap() is None
        (store.path / "one").write_bytes(b"x")
        assert store.over_the_cap() == "bytes"
        for number in range(20):
            (store.path / str(number)).touch()
        assert store.over_the_cap() == "files"
    assert not (tmp_path / "s").exists()


def test_folders_deeper_than_python_recurses_are_deleted(tmp_path: Path) -> None:
    with output_store(tmp_path / "s", MIB, 10_000, mode="watched") as store:
        here = os.open(store.path, os.O_RDONLY)
        for _ in range(1100):
            os.mkdir("d", dir_fd=here)
            deeper = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.fchmod(here, 0)
        os.close(here)
        assert store.over_the_cap() is None
    assert not (tmp_path / "s").exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "s").symlink_to("mine")
    release(tmp_path / "s")
    assert (tmp_path / "mine" / "file").exists()
