"""Folders: special files, modes, swaps. Nothing is followed, nothing blocks, and the rest is still checked."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import made
import pytest

from harness.errors import MachineError, UsageError
from harness.submission import check
from harness.submission.readers.pdf import PageCount
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.tree import scan

LIMITS = made.CHALLENGE.read_limits
WAV = f"zh/task4/{made.ids('task4', 'zh')[0]}_1_response.wav"


def found(path: Path) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.file) for finding in check(path, made.CHALLENGE).report.findings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made.write(tmp_path / "sub", made.submission())


@pytest.mark.parametrize("path", ["zh/task2.jsonl", WAV, "submission.json", "system_description.pdf"])
@pytest.mark.parametrize("kind", ["symlink", "hard link", "pipe", "folder", "socket"])
def test_what_is_no_regular_file_is_refused_without_blocking(
    folder: Path, tmp_path: Path, path: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder / path
    outside = tmp_path / "outside"
    outside.write_bytes(target.read_bytes())
    target.unlink()
    if kind == "symlink":
        target.symlink_to(outside)
    elif kind == "hard link":
        target.hardlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        monkeypatch.chdir(target.parent)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(target.name)
    started = time.monotonic()
    report = check(folder, made.CHALLENGE).report
    assert time.monotonic() - started < 8
    wanted = "E_LAYOUT_MISSING" if kind == "folder" else "E_LAYOUT_TYPE"
    assert [(f.code, f.file) for f in report.findings] == [(wanted, path)]
    assert report.checked.dialogues >= 10


def test_a_folder_that_is_a_link_is_not_entered(folder: Path, tmp_path: Path) -> None:
    (folder / "en").rename(tmp_path / "moved")
    (folder / "en").symlink_to(tmp_path / "moved")
    (folder / "zh/loop").symlink_to("..")
    codes = found(folder)
    assert ("E_LAYOUT_TYPE", "en") in codes
    assert ("E_LAYOUT_TYPE", "zh/loop") in codes
    assert ("E_LAYOUT_MISSING", "en/task2.jsonl") in codes


@pytest.mark.parametrize("path", ["zh/task2.jsonl", WAV, "zh/task4"])
def test_what_nobody_may_read_is_said_the_same_to_everybody(folder: Path, path: str) -> None:
    (folder / path).chmod(0)
    try:
        codes = found(folder)
    finally:
        (folder / path).chmod(0o755)
    assert ("E_LAYOUT_PERM", path) in codes
    assert not any(code.startswith("E_JSON") for code, _ in codes)


def test_names_are_shown_escaped(folder: Path) -> None:
    (folder / "zh/task3.jsonl").rename(os.fsdecode(os.fsencode(folder) + b"/zh/\xff\x1b[2J\n.jsonl"))
    report = check(folder, made.CHALLENGE).report
    assert ("E_NAME", "zh/\\xff\\x1b[2J\\x0a.jsonl") in [(f.code, f.file) for f in report.findings]
    assert all(text.isprintable() for f in report.findings for text in (f.file or "", f.message, f.hint))


def test_too_many_files_stop_the_scan(tmp_path: Path) -> None:
    for number in range(52):
        (tmp_path / f"f{number}").touch()
    assert len(scan(tmp_path, replace(LIMITS, members=52)).files) == 52
    with pytest.raises(Refusal) as caught:
        scan(tmp_path, replace(LIMITS, members=51))
    assert caught.value.code == "E_LAYOUT_COUNT"


def test_folders_that_nest_too_deeply_stop_the_scan(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 40)).mkdir(parents=True)
    assert found(tmp_path) == [("E_LAYOUT_COUNT", None)]


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zh/task4").mkdir(parents=True)
    assert found(tmp_path) == [("E_ARC_EMPTY", None)]


@pytest.mark.parametrize("kind", ["link to a zip", "link to a folder", "pipe", "device"])
def test_a_path_that_is_no_file_and_no_folder_is_refused_without_blocking(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.zip"
    if kind == "link to a zip":
        (tmp_path / "real.zip").write_bytes(made.zipped(made.submission()))
        path.symlink_to(tmp_path / "real.zip")
    elif kind == "link to a folder":
        path.symlink_to(made.write(tmp_path / "sub", made.submission()))
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/zero")
    assert found(path) == [("E_ARC_FORMAT", None)]


def test_a_path_that_is_not_there_is_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        check(tmp_path / "gone", made.CHALLENGE)


def test_a_file_that_grows_while_it_is_read_is_reported(folder: Path) -> None:
    tree = scan(folder, LIMITS)
    with pytest.raises(Refusal) as caught, tree.open("zh/task2.jsonl"), (folder / "zh/task2.jsonl").open("ab") as more:
        more.write(b"{}\n")
    assert caught.value.code == "E_CHANGED"
    with pytest.raises(Refusal) as caught:
        tree.read("zh/task2.jsonl")
    assert caught.value.code == "E_CHANGED"


def test_a_file_swapped_for_a_link_after_listing_is_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"SECRET")
    tree = scan(folder, LIMITS)
    (folder / WAV).unlink()
    (folder / WAV).symlink_to(secret)
    (folder / "en").rename(folder / "en2")
    (folder / "en").symlink_to(tmp_path)
    for path in (WAV, "en/task2.jsonl"):
        with pytest.raises(Refusal) as caught:
            tree.read(path)
        assert caught.value.code == "E_LAYOUT_TYPE"


def test_nothing_outside_is_opened_whatever_the_paths_say(folder: Path, tmp_path: Path) -> None:
    """Every open of the check lies in the submission, the work folder, or the installation."""
    line = '{"dialogue_id": "x", "turns": [{"turn_id": 1, "response_text": "好的好的", "response_audio": "%s"}]}\n'
    secret = tmp_path / "secret.wav"
    secret.write_bytes(made.wav())
    for value in ("../secret.wav", str(secret), "file://" + str(secret), "http://localhost:9/x.wav"):
        with (folder / "zh/task4.jsonl").open("a") as stream:
            stream.write(line % value)
    touched: list[str] = []
    sockets: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open":
            touched.append(str(arguments[0]))
        if watching and event.startswith("socket."):
            sockets.append(event)

    watching = False
    sys.addaudithook(hook)
    watching = True
    try:
        check(folder, made.CHALLENGE)
    finally:
        watching = False
    assert sockets == []
    assert not any("secret" in path for path in touched)
    assert any("zh" in path for path in touched)


@pytest.mark.parametrize(
    "kids",
    [
        b"[2 0 R]",  # the page tree is its own child
        b"[2 0 R 2 0 R 2 0 R 2 0 R]",
        b"[" + b"3 0 R " * 300_000 + b"]",  # one page, named many times
        b"[9 0 R]",
        b"2 0 R",
        b"[[[[" * 2000,
    ],
    ids=["cycle", "branching cycle", "many", "nowhere", "no list", "nested"],
)
def test_a_hostile_description_ends_in_time(folder: Path, kids: bytes) -> None:
    (folder / "system_description.pdf").write_bytes(made.pdf().replace(b"[3 0 R 4 0 R]", kids))
    started = time.monotonic()
    codes = found(folder)
    assert time.monotonic() - started < 100  # five seconds of processor time, on a busy machine
    assert {code for code, _ in codes} <= {"E_PDF_BROKEN", "E_PDF_PAGES"}


def test_a_reader_of_pdfs_that_is_ended_from_outside_is_not_the_teams_fault(tmp_path: Path) -> None:
    """Nor is one that a busy machine gives no time: only its processor time is limited."""
    made.write(tmp_path, {"system_description.pdf": made.pdf() + b"% counted in no other test"})
    count = PageCount(scan(tmp_path, LIMITS), "system_description.pdf")
    assert count._process is not None
    os.kill(count._process.pid, signal.SIGSTOP)
    count._process.kill()
    with pytest.raises(MachineError) as caught:
        count.pages()
    assert caught.value.code == "I_READER"


def test_a_description_that_was_counted_is_known_again_and_a_changed_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "system_description.pdf"
    path.write_bytes(made.pdf(3) + b"% first")
    for started in (True, False):
        count = PageCount(scan(tmp_path, LIMITS), path.name)
        assert (count._process is not None) is started
        assert count.pages() == 3
        count.close()
    path.write_bytes(made.pdf(5) + b"% then")
    changed = PageCount(scan(tmp_path, LIMITS), path.name)
    with path.open("r+b") as stream:  # while it is read, in its place
        stream.write(b"%PDF-1.3")
    assert changed.pages() == 5
    again = PageCount(scan(tmp_path, LIMITS), path.name)
    assert again._process is not None
    assert again.pages() == 5
