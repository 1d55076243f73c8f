"""Taking results out of a folder that somebody hostile has filled, without an engine: the same code, every trick."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox_inputs import Inputs

from harness.challenge.spec import Challenge
from harness.sandbox.collector import Collected, collect_outputs
from harness.sandbox.profile import USER_ID
from harness.sandbox.safe_open import open_beneath, open_by_walking, open_root
from harness.sandbox.staging import Staged, stage_inputs


@pytest.fixture
def staged(inputs: Inputs, challenge: Challenge, tmp_path: Path) -> Staged:
    return stage_inputs(inputs.dialogues, inputs.root, tmp_path / "input", challenge, "seed")


@pytest.fixture
def store(staged: Staged, tmp_path: Path) -> Path:
    """A store with a sound answer to everything."""
    root = tmp_path / "store"
    for (language, task), dialogues in staged.dialogues.items():
        (root / language / task).mkdir(parents=True)
        lines = []
        for each in dialogues:
            turns = [{"turn_id": turn, "response_text": "fine"} for turn in each.turn_ids]
            lines.append(json.dumps({"dialogue_id": each.opaque_id, "turns": turns}))
            if task == "task4":
                for turn in each.turn_ids:
                    (root / language / task / f"{each.opaque_id}_{turn}_response.wav").write_bytes(b"audio")
        (root / language / f"{task}.jsonl").write_text("\n".join(lines) + "\n")
    return root


def collect(
    store: Path, staged: Staged, challenge: Challenge, cap_files: int = 10_000, cap_bytes: int = 1 << 30
) -> Collected:
    return collect_outputs(store, store.parent / "submission", staged, challenge, cap_files, cap_bytes)


def test_a_sound_store_is_taken_whole(store: Path, staged: Staged, challenge: Challenge) -> None:
    collected = collect(store, staged, challenge)
    assert collected.findings == ()
    assert len(collected.outputs) == 4 + 2 * 3 * 2
    for each in collected.outputs:
        data = (store.parent / "submission" / each.path).read_bytes()
        assert len(data) == each.bytes
        assert not any(dialogue.opaque_id in each.path for group in staged.dialogues.values() for dialogue in group)


def real(staged: Staged, path: Path) -> str:
    """The path in the submission for a WAV of zh/task4 in the store."""
    ids = {each.opaque_id: each.dialogue_id for each in staged.dialogues["zh", "task4"]}
    opaque, _, rest = path.name.partition("_")
    return f"zh/task4/{ids[opaque]}_{rest}"


def _symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path) -> None:
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _second_name(path: Path) -> None:
    os.link(path, path.parent / "other")


@pytest.mark.parametrize("trick", [_symlink, _dangling, _pipe, _socket, _folder, _second_name])
def test_only_regular_files_of_one_name_are_taken(
    store: Path, staged: Staged, challenge: Challenge, trick: object
) -> None:
    path = sorted((store / "zh/task4").iterdir())[0]
    trick(path)  # type: ignore[operator]
    start = time.monotonic()
    collected = collect(store, staged, challenge)
    assert time.monotonic() - start < 1
    refused = [each for each in collected.findings if each.file == real(staged, path)]
    assert [each.code for each in refused] == ["E_OUT_TYPE"]
    assert len(collected.outputs) == 15


def test_a_linked_folder_loses_what_lies_behind_it(store: Path, staged: Staged, challenge: Challenge) -> None:
    (store / "zh").rename(store / "real")
    (store / "zh").symlink_to("real")
    collected = collect(store, staged, challenge)
    assert all(each.path.startswith("en/") for each in collected.outputs)
    assert {each.file for each in collected.findings if each.severity == "error"} == {
        "zh/task2.jsonl",
        "zh/task4.jsonl",
    }


def test_sizes_are_checked_before_reading(store: Path, staged: Staged, challenge: Challenge) -> None:
    path = sorted((store / "zh/task4").iterdir())[0]
    with path.open("wb") as sparse:
        sparse.truncate(5 * 1024**3)
    with (store / "zh/task2.jsonl").open("wb") as sparse:
        sparse.truncate(challenge.read_limits.jsonl_bytes + 1)
    start = time.monotonic()
    collected = collect(store, staged, challenge)
    assert time.monotonic() - start < 1
    severities = {each.file: each.severity for each in collected.findings if each.code == "E_OUT_SIZE"}
    assert severities == {real(staged, path): "warning", "zh/task2.jsonl": "error"}


def test_holes_do_not_get_past_the_cap_of_the_store(store: Path, staged: Staged, challenge: Challenge) -> None:
    """Each file is small enough and takes no room in the store; their copies together would fill our disk."""
    for path in (store / "zh/task4").iterdir():
        with path.open("wb") as sparse:
            sparse.truncate(1 << 20)
    collected = collect(store, staged, challenge, cap_bytes=(3 << 20) + (1 << 19))
    assert sum(each.bytes for each in collected.outputs) <= 4 << 20
    assert sum(each.bytes == 1 << 20 for each in collected.outputs) == 3
    assert [each.code for each in collected.findings] == ["E_OUT_SIZE"] * 3


def test_a_folder_that_may_be_listed_and_not_entered_is_no_failure_of_ours(
    staged: Staged, challenge: Challenge
) -> None:
    with tempfile.TemporaryDirectory() as folder, as_ordinary_user(Path(folder)):
        closed = Path(folder) / "store/closed"
        closed.mkdir(parents=True)
        (closed / "file").touch()
        closed.chmod(0o444)
        collected = collect_outputs(Path(folder) / "store", Path(folder) / "out", staged, challenge, 100, 1 << 20)
        closed.chmod(0o755)
    assert [(each.code, each.severity) for each in collected.findings] == [("E_OUT_TYPE", "warning")]


def test_a_file_exactly_at_the_cap_is_taken(store: Path, staged: Staged, challenge: Challenge) -> None:
    path = sorted((store / "zh/task4").iterdir())[0]
    cap = replace(challenge, audio=replace(challenge.audio, max_bytes=5))
    assert collect(store, staged, cap).findings == ()
    path.write_bytes(b"audio+")
    collected = collect_outputs(store, store.parent / "second", staged, cap, 10_000, 1 << 30)
    assert [each.code for each in collected.findings] == ["E_OUT_SIZE"]


def test_extra_files_are_counted_and_never_read(store: Path, staged: Staged, challenge: Challenge) -> None:
    (store / "score.json").write_text("{}")
    (store / "zh" / "__init__.py").write_text("raise SystemExit")
    (store / "zh/task2/left.wav").write_bytes(b"")
    collected = collect(store, staged, challenge)
    (extra,) = collected.findings
    assert extra.code == "W_OUT_EXTRA" and "3 more files" in extra.message and extra.severity == "warning"


@pytest.mark.parametrize("name", [b"line\nbreak", b"\x1b[31m", b"\xff\xfe", b"-rf", "\u202egnp.wav".encode()])
def test_odd_names_are_told_in_plain_ascii(store: Path, staged: Staged, challenge: Challenge, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(store) + b"/" + name)).write_bytes(b"x")
    (finding,) = collect(store, staged, challenge).findings
    assert finding.code == "E_OUT_NAME"
    assert finding.message.isascii() and finding.message.isprintable()


def test_counting_stops_at_the_cap(store: Path, staged: Staged, challenge: Challenge) -> None:
    deep = store
    for _ in range(60):
        deep /= "d"
    deep.mkdir(parents=True)
    for number in range(500):
        (store / f"{number}.txt").touch()
    codes = {each.code for each in collect(store, staged, challenge, cap_files=100).findings}
    assert codes == {"E_OUT_COUNT", "W_OUT_EXTRA"}


def test_nothing_at_all_is_no_error_here(staged: Staged, challenge: Challenge, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    collected = collect_outputs(tmp_path / "empty", tmp_path / "submission", staged, challenge, 100, 1 << 30)
    assert collected == Collected((), ())


def test_an_unreadable_file_is_named(staged: Staged, challenge: Challenge) -> None:
    with tempfile.TemporaryDirectory() as folder, as_ordinary_user(Path(folder)):
        result = Path(folder) / "store/zh/task2.jsonl"
        result.parent.mkdir(parents=True)
        result.touch(mode=0o000)
        collected = collect_outputs(
            Path(folder) / "store", Path(folder) / "submission", staged, challenge, 100, 1 << 30
        )
    assert [(each.code, each.severity) for each in collected.findings] == [("E_OUT_PERM", "error")]


@contextmanager
def as_ordinary_user(folder: Path) -> Iterator[None]:
    """Root reads everything, so root becomes the container's user for a while; ``folder`` is given to it."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, USER_ID, USER_ID)
    os.seteuid(USER_ID)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("opener", [open_beneath, open_by_walking])
@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "link", "folder-link/file", "a/../../outside", "nothing"]
)
def test_both_ways_of_opening_stay_inside(tmp_path: Path, opener: object, path: str) -> None:
    (tmp_path / "outside").write_text("x")
    inside = tmp_path / "inside"
    (inside / "a").mkdir(parents=True)
    (inside / "a" / "file").write_text("mine")
    (inside / "link").symlink_to("../outside")
    (inside / "folder-link").symlink_to("a")
    root = open_root(inside)
    try:
        with pytest.raises(OSError):
            os.close(opener(root, path))  # type: ignore[operator]
        descriptor = opener(root, "a/file")  # type: ignore[operator]
        assert os.read(descriptor, 10) == b"mine"
        os.close(descriptor)
    finally:
        os.close(root)
