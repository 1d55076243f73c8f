"""A whole challenge from folders, archives and stored verdicts, without an engine: published, resumed, refused."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from bench import CANARY, Bench, Warm, make_bench, published, store_verdicts, team_row
from command import here

from harness.challenge.load import load_challenge
from harness.documents.codec import pretty_json
from harness.documents.run_review import RunFlag
from harness.errors import MachineError, UsageError
from harness.evaluation import campaign
from harness.evaluation.blobs import Blobs
from harness.evaluation.executors.local import LocalExecutor
from harness.evaluation.journal import Journal, scan
from harness.evaluation.run import usable_references
from harness.evaluation.run_directory import PUBLISHED_FILES, held
from harness.evaluation.run_io import RunIO
from harness.evaluation.sides import gold_bytes
from harness.evaluation.stored_run import unchanging
from harness.evaluation.tasks import Failure, Prepared, PrepareTask, RunTask, Setting
from harness.evaluation.teams_file import read_teams
from harness.evaluation.worker import execute
from harness.resources import schema_path


@pytest.fixture(scope="module")
def spoken(dev: Path, paper: Path, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished evaluation of all tasks, with audio."""
    tasks = ("task2", "task3", "task4")
    whole = make_bench(tmp_path_factory.mktemp("spoken"), dev, paper, warm, tasks)
    code, said = whole.evaluate(whole.folder / "run")
    assert code == 0, said
    return whole.folder / "run"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """The finished run under another path: it may be moved."""
    return Path(shutil.copytree(run, tmp_path / "moved"))


def test_the_table_ranks_the_good_and_names_the_broken(run: Path) -> None:
    board = json.loads((run / "leaderboard.json").read_bytes())
    ranked = {row["team"]: row["rank"] for row in board["rows"]}
    assert ranked["alpha"] == ranked["delta"] == 1 and ranked["beta"] == 3 and ranked["gamma"] is None
    assert "invalid submission" in json.dumps([row for row in board["rows"] if row["team"] == "gamma"])
    assert (run / "teams" / "gamma" / "validation.json").is_file()
    assert not (run / "teams" / "gamma" / "scores").exists()
    assert {path.name for path in (run / "teams" / "alpha" / "scores").iterdir()} == {
        "report.json", "items.jsonl", "review.jsonl",
    }  # fmt: skip
    attempts = [json.loads(line)["data"] for line in (run / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert {each["team"]: each["counts"] for each in attempts} == {
        "alpha": True, "beta": True, "delta": True, "gamma": False,
    }  # fmt: skip


def test_teams_that_are_alike_are_named_for_the_organisers_alone(spoken: Path) -> None:
    """The same folder as a folder and as an archive; nothing of it stands where teams or the public look."""
    review = json.loads((spoken / "review.json").read_bytes())
    schema = json.loads(schema_path("run-review").read_text("utf-8"))
    assert list(jsonschema_rs.validator_for(schema).iter_errors(review)) == []
    found = {(flag["code"], *flag["teams"]) for flag in review["flags"]}
    # beta has a word more in each reply and the same WAVs; gamma is not valid.
    assert {("F_DUP_AUDIO", "alpha", "delta"), ("F_DUP_SUBMISSION", "alpha", "delta")} <= found
    assert {("F_DUP_AUDIO", "alpha", "beta"), ("F_DUP_SUBMISSION", "alpha", "beta")} <= found
    assert not any("gamma" in teams for _, *teams in found)
    shown = b"".join(data for path, data in published(spoken).items() if path != "review.json")
    assert b"F_DUP" not in shown


def test_gold_files_and_variables_stand_in_nothing_that_is_shown(spoken: Path, tmp_path: Path) -> None:
    """Every file of the run but the blobs, which the judge's prompts are made of; and what is made of it afterwards."""
    for command in (["report", spoken, "--out", tmp_path / "report.html"], ["leaderboard", spoken, "-f", "json"]):
        done = subprocess.run([sys.executable, "-m", "harness", *command], capture_output=True, text=True, check=True)
        (tmp_path / f"{command[0]}.txt").write_text(done.stdout + done.stderr, "utf-8")
    shown = [path for path in [*spoken.rglob("*"), *tmp_path.rglob("*")] if path.is_file()]
    assert {"leaderboard.csv", "review.json", "validation.json", "items.jsonl", "report.html"} <= {
        p.name for p in shown
    }
    kept = [path for path in shown if CANARY.encode() in path.read_bytes()]
    assert kept and all(path.is_relative_to(spoken / "blobs") for path in kept), kept


def test_machines_can_watch_it(run: Path) -> None:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
    validator = jsonschema_rs.validator_for(json.loads(schema_path("progress-event").read_text("utf-8")))
    assert [error.message for event in events for error in validator.iter_errors(event)] == []
    last = events[-1]
    assert (last["event"], last["steps_done"], last["teams_done"], last["faulty"]) == ("published", last["steps"], 4, 1)
    started, ended = ({(e["team"], e["stage"]) for e in events if e["event"] == name} for name in ("started", "ended"))
    assert started == ended


def test_a_finished_run_does_nothing_again_wherever_it_lies(bench: Bench, run: Path, copy: Path) -> None:
    before = (copy / "journal.jsonl").read_bytes()
    assert bench.evaluate(copy)[0] == 0
    assert (copy / "journal.jsonl").read_bytes() == before
    assert published(copy) == published(run)


def test_order_and_number_of_workers_change_no_byte(bench: Bench, run: Path, tmp_path: Path) -> None:
    code, said = bench.evaluate_apart(tmp_path / "run", "--jobs", "3", teams="swapped.toml")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)


def test_a_run_that_was_killed_ends_as_one_that_was_not(bench: Bench, run: Path, tmp_path: Path) -> None:
    """As a user sees it; test_crash.py breaks every point."""
    code, said = bench.evaluate_apart(tmp_path / "run", HD_FAULT="rename:9:kill9")
    assert code == -9, said
    assert not (tmp_path / "run" / "leaderboard.json").exists()
    code, said = bench.evaluate_apart(tmp_path / "run")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)


@pytest.mark.parametrize("tail", [b'{"seq": 4', b"\x00" * 700, b"\xff\xfe garbage\n"])
def test_a_torn_tail_is_cut_off_and_kept(bench: Bench, run: Path, copy: Path, tail: bytes) -> None:
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-2]) + tail)
    code, said = bench.evaluate(copy)
    assert code == 0, said
    assert (copy / "journal.torn").read_bytes() == tail
    assert published(copy) == published(run)


@pytest.mark.parametrize(
    ("stray", "of"),
    [
        ("zeta", "zeta/scores"), ("gamma/mine", "gamma/mine"), ("alpha.bak", "alpha.bak/scores"),
        ("gamma/outputs2", "gamma/outputs2"), ("alpha/outputs-old", "alpha/outputs-old/scores"),
    ],
)  # fmt: skip
def test_a_score_that_nobody_knows_is_not_published(bench: Bench, run: Path, copy: Path, stray: str, of: str) -> None:
    (copy / "teams" / of).mkdir(parents=True)
    report = json.loads((copy / "teams/alpha/scores/report.json").read_bytes())
    (copy / "teams" / of / "report.json").write_text(json.dumps({**report, "team": "zeta"}))
    code, said = bench.evaluate(copy)
    assert (code, f"refused: teams/{stray}" in said, _shown(copy)) == (1, True, {}), said
    shutil.rmtree(copy / "teams" / stray)
    (copy / "teams" / "notes.txt").touch()  # what no table could take for a score
    (copy / "teams" / "alpha" / ".DS_Store").touch()
    code, said = bench.evaluate(copy)
    assert code == 0 and published(copy) == published(run), said
    assert here("verify", copy)[0] == 0


def test_a_team_may_have_any_name(bench: Bench, tmp_path: Path) -> None:
    """Folders of these names below a team are never looked into; the teams' own are."""
    names = ("outputs", "outputs-2", "submission-two")
    rows = [
        team_row(name, f'submission = "{source}"')
        for name, source in zip(names, ("paper", "other", "paper"), strict=True)
    ]
    (bench.folder / "names.toml").write_text("".join(rows), "utf-8")
    code, said = bench.evaluate(tmp_path / "run", teams="names.toml")
    assert code == 0, said
    board = json.loads((tmp_path / "run" / "leaderboard.json").read_bytes())
    assert sorted(row["team"] for row in board["rows"]) == sorted(names)
    code, said = here("leaderboard", tmp_path / "run", "-f", "json")
    assert code == 0 and len(json.loads(said)["rows"]) == 3, said


def test_what_is_told_of_an_attempt_that_does_not_count_goes(bench: Bench, run: Path, copy: Path) -> None:
    """As of an image that failed, when the folder that came later counts."""
    (copy / "teams" / "alpha" / "run.json").write_text("{}")
    code, said = bench.evaluate(copy)
    assert code == 0 and not (copy / "teams" / "alpha" / "run.json").exists(), said
    assert here("verify", copy)[0] == 0


def test_a_ledger_that_was_changed_by_hand_is_not_published(bench: Bench, copy: Path) -> None:
    """With its sums made right, and without: no crash leaves a record whole but for its sum."""
    whole = (copy / "ledger.jsonl").read_bytes()
    records = scan(copy / "ledger.jsonl").records
    (copy / "ledger.jsonl").unlink()
    ledger = Journal(RunIO(copy), copy / "ledger.jsonl")
    for record in records:
        ledger.append((record.event, {**record.data, "late": True}))
    ledger.close()
    code, said = bench.evaluate(copy)
    assert (code, "refused: ledger.jsonl" in said, _shown(copy)) == (1, True, {}), said
    (copy / "ledger.jsonl").write_bytes(whole)
    assert bench.evaluate(copy)[0] == 0 and len(_shown(copy)) == 5
    (copy / "ledger.jsonl").write_bytes(whole.replace(b'"late":false', b'"late":true'))
    code, said = bench.evaluate(copy)
    assert (code, "I_CORRUPT" in said, _shown(copy)) == (1, True, {}), said


def test_what_was_handed_in_may_go_when_it_is_scored(
    bench: Bench, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "teams.toml"  # with nothing beside it
    listed.write_bytes((bench.folder / "teams.toml").read_bytes())
    for name, value in bench.environment().items():
        monkeypatch.setenv(name, value)
    command, _, *rest = bench.arguments(copy)
    code, said = here(command, listed, *rest)
    assert code == 0, said
    command, _, *rest = bench.arguments(tmp_path / "new")
    code, said = here(command, listed, *rest)
    assert (code, "E_TEAMS" in said, "there is no paper" in said) == (2, True, True), said


def test_references_that_change_under_way_are_seen_by_the_next_task(bench: Bench, tmp_path: Path) -> None:
    """Not only when the run is begun again: by then teams would have been held against both."""
    gold = gold_bytes(usable_references(bench.dev, load_challenge(), need_labels=True))
    setting = Setting(
        "humdial-2026", bench.dev, bench.dev, "small", "strict", "track1", "sha256:0", "0", "0",
        gold=hashlib.sha256(gold).hexdigest(), inputs_digest="sha256:" + "0" * 64,
    )  # fmt: skip
    check = PrepareTask("alpha", bench.folder / "paper", False, tmp_path / "work")
    assert isinstance(execute(check, setting), Prepared)
    changed = execute(check, replace(setting, gold="0" * 64))
    assert isinstance(changed, Failure) and (changed.code, "the references are" in changed.message) == ("E_PIN", True)
    ran = execute(RunTask("alpha", "sha256:0", tmp_path / "run"), setting)
    assert isinstance(ran, Failure) and (ran.code, "the inputs are" in ran.message) == ("E_PIN", True)


def test_a_run_inside_of_its_inputs_is_refused(bench: Bench) -> None:
    code, said = bench.evaluate(bench.dev / "run")
    assert (code, "E_USAGE" in said, (bench.dev / "run").exists()) == (2, True, False), said


def test_in_a_folder_of_something_else_nothing_is_taken_away(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    (tmp_path / "report.html").write_text("mine")
    code, said = bench.evaluate(tmp_path)
    assert (code, "I_CORRUPT" in said, (tmp_path / "report.html").read_text()) == (1, True, "mine"), said


def test_pins_that_were_changed_by_hand_are_refused_and_no_bug(bench: Bench, copy: Path) -> None:
    pins = json.loads((copy / "run.json").read_bytes())
    del pins["teams"][0]["attempts"]
    (copy / "run.json").write_text(json.dumps(pins))
    code, said = bench.evaluate(copy)
    assert (code, "E_PIN" in said) == (2, True), said


def test_a_run_directory_that_is_not_where_it_was_is_no_full_disk(tmp_path: Path) -> None:
    io = RunIO(tmp_path / "run")
    with pytest.raises(MachineError) as caught:
        io.move(tmp_path / "run" / "work", tmp_path / "run" / "teams" / "alpha")
    assert caught.value.code == "I_DISK" and "moved" in caught.value.hint


def test_who_only_reads_is_not_told_to_be_stopped(bench: Bench, copy: Path) -> None:
    with unchanging(copy):
        code, said = bench.evaluate(copy)
    assert (code, "E_LOCKED" in said, "in use by another process" in said) == (3, True, True), said


def test_ctrl_c_ends_a_run_whose_workers_do_not_answer(bench: Bench, tmp_path: Path) -> None:
    """Whoever presses it again and again does not wait for them; the run goes on afterwards."""
    command = [sys.executable, "-m", "harness", *bench.arguments(tmp_path / "run")]
    environment = {**os.environ, **bench.environment()}
    with (tmp_path / "said").open("wb") as told:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=told)
    stopped: set[int] = set()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + 300
    while not stopped:
        assert process.poll() is None and time.monotonic() < until
        for child in map(int, children.read_text("ascii").split()):
            status = Path(f"/proc/{child}/status").read_text("ascii")
            ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
            worker = b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            if worker and ignored >> (signal.SIGINT - 1) & 1:  # it has begun: Ctrl-C is the parent's to handle
                os.kill(child, signal.SIGSTOP)
                stopped.add(child)
    begun = time.monotonic()
    while process.poll() is None:
        assert time.monotonic() - begun < 50, "it waits for them all the same"  # once, it gives them 60 seconds
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    said = (tmp_path / "said").read_text("utf-8")
    assert process.returncode == 130 and "Traceback" not in said, said
    assert not any(Path(f"/proc/{child}").exists() for child in stopped)
    code, said = bench.evaluate(tmp_path / "run")
    assert code == 0, said


def test_the_path_of_an_image_is_one_whether_or_not_it_is_there(tmp_path: Path) -> None:
    """Else a tar that is deleted after its team has run, or that comes later, would be another hand-in."""
    listed = tmp_path / "teams.toml"
    listed.write_text('[[team]]\nname = "alpha"\ntrack = "track1"\nimage = "imgs/alpha.tar"\n')
    with pytest.raises(UsageError, match=r"alpha: there is no imgs/alpha\.tar") as caught:
        read_teams(listed, load_challenge(), None)
    assert caught.value.code == "E_TEAMS"
    (without,) = read_teams(listed, load_challenge(), None, settled={"alpha"})
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "alpha.tar").touch()
    (there,) = read_teams(listed, load_challenge(), None)
    assert without.plain() == there.plain()
    (tmp_path / "imgs" / "plain").touch()
    (tmp_path / "imgs" / "folder.tar").mkdir()
    for image, problem in (("imgs/plain", "write ./imgs/plain"), ("imgs/folder.tar", "there is no imgs/folder.tar")):
        listed.write_text(f'[[team]]\nname = "alpha"\ntrack = "track1"\nimage = "{image}"\n')
        with pytest.raises(UsageError, match=re.escape(problem)):
            read_teams(listed, load_challenge(), None)
    listed.write_text('[[team]]\nname = "alpha"\ntrack = "track1"\nimage = "./imgs/plain"\n')
    (plain,) = read_teams(listed, load_challenge(), None)
    assert plain.attempts[0].image == str(tmp_path / "imgs" / "plain")


def test_nobody_reads_what_is_said(bench: Bench, run: Path, copy: Path, tmp_path: Path) -> None:
    """The work is done and the exit code true when stderr is closed or full; a full stdout is named."""
    for error in ("gone", "full"):
        read, write = os.pipe()
        os.close(read)
        with Path("/dev/full").open("wb") as full:
            done = _apart(bench, tmp_path / error, stdout=subprocess.PIPE, stderr=write if error == "gone" else full)
        os.close(write)
        assert done.returncode == 0 and b"alpha" in done.stdout
        assert published(tmp_path / error) == published(run)
    command = shlex.join([sys.executable, "-m", "harness", *bench.arguments(copy)])
    for streams in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-", "| true"):  # closed from the beginning, or by who reads
        ending = f"{command} {streams}; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", ending], env={**os.environ, **bench.environment()}, check=False)
        assert done.returncode == 0, streams
    with Path("/dev/full").open("wb") as full:
        done = _apart(bench, copy, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, b"[I_DISK]" in done.stderr, b"bug" in done.stderr) == (3, True, False), done.stderr


def _apart(bench: Bench, out: Path, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "harness", *bench.arguments(out)]
    return subprocess.run(command, env={**os.environ, **bench.environment()}, timeout=300, check=False, **streams)


def test_damage_in_the_middle_is_notpublished(bench: Bench, copy: Path) -> None:
    journal = copy / "journal.jsonl"
    raw = bytearray(journal.read_bytes())
    raw[40] ^= 1
    journal.write_bytes(raw)
    code, said = bench.evaluate(copy)
    assert (code, "I_CORRUPT" in said, _shown(copy)) == (1, True, {}), said


def test_a_changed_blob_is_notpublished(bench: Bench, copy: Path) -> None:
    for path in (copy / "blobs").glob("*/*"):
        path.write_bytes(path.read_bytes() + b" ")
    code, said = bench.evaluate(copy)
    assert (code, "I_CORRUPT" in said, _shown(copy)) == (1, True, {}), said


def test_changed_pins_are_named(bench: Bench, copy: Path, tmp_path: Path) -> None:
    code, said = bench.evaluate(copy, "--policy", "published")
    assert (code, "E_PIN" in said, "policy" in said) == (2, True, True), said
    code, said = bench.evaluate(copy, teams="pair.toml")
    assert (code, "E_PIN" in said, "teams: " in said, "beta, delta" in said) == (2, True, True, True), said
    references = Path(shutil.copytree(bench.dev, tmp_path / "references"))
    asked = references / "zh" / "task2.jsonl"
    asked.write_text(asked.read_text("utf-8").replace(CANARY, "another"), "utf-8")
    code, said = bench.evaluate(copy, "--references", str(references))
    assert (code, "E_PIN" in said, "gold was" in said) == (2, True, True), said


def test_another_version_is_refused(bench: Bench, copy: Path) -> None:
    pins = json.loads((copy / "run.json").read_bytes())
    (copy / "run.json").write_text(json.dumps({**pins, "schema_version": 99}), "utf-8")
    code, said = bench.evaluate(copy)
    assert (code, "E_SCHEMA_VER" in said) == (2, True), said


def test_a_second_writer_is_sent_away(bench: Bench, copy: Path) -> None:
    with (copy / "lock").open("r+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        code, said = bench.evaluate(copy)
    assert (code, "E_LOCKED" in said) == (3, True), said


def test_a_list_without_a_hand_in_is_refused(bench: Bench, tmp_path: Path) -> None:
    (bench.folder / "wrong.toml").write_text('[[team]]\nname = "alpha"\ntrack = "track1"\n', "utf-8")
    code, said = bench.evaluate(tmp_path / "run", teams="wrong.toml")
    assert (code, "E_TEAMS" in said) == (2, True), said


def test_a_run_whose_judge_cannot_be_asked_waits(bench: Bench, run: Path, tmp_path: Path) -> None:
    """All verdicts are stored, and there is no engine: --fresh asks the judge all the same."""
    code, said = bench.evaluate(tmp_path / "run", "--fresh")
    assert (code, "unfinished: alpha" in said, "I_ENGINE" in said) == (3, True, True), said
    assert not (tmp_path / "run" / "leaderboard.json").exists()
    code, said = bench.evaluate(tmp_path / "run")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)  # as a network mount without locks answers
    with pytest.raises(MachineError) as caught, held(tmp_path / "run"):
        pass
    assert caught.value.code == "E_FS"


def test_a_killed_worker_costs_one_try_of_its_task(bench: Bench, tmp_path: Path) -> None:
    setting = Setting("humdial-2026", bench.dev, bench.dev, "small", "strict", "track1", "sha256:0", "0", "0")
    task = PrepareTask("alpha", bench.folder / "paper", False, tmp_path / "work")
    executor = LocalExecutor(setting, 1)
    try:
        executor.submit(1, task)
        for worker in multiprocessing.active_children():
            worker.kill()
        found = [*executor.wait(120)]
        assert [(number, getattr(result, "code", "")) for number, result in found] == [(1, "I_WORKER")]
        executor.submit(2, task)
        ((number, result),) = executor.wait(120)
        assert number == 2 and isinstance(result, Prepared) and result.valid
    finally:
        executor.close(stop=True)


def test_a_judge_that_fails_known_answers_is_notpublished(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("HUMDIAL_CACHE", str(cache))
    store_verdicts(cache, bench.dev, [bench.folder / "paper", bench.folder / "other"], tmp_path / "work", good=1)
    code, said = bench.evaluate(tmp_path / "run", HUMDIAL_CACHE=str(cache))
    assert (code, "known-answer" in said) == (1, True), said
    assert not (tmp_path / "run" / "leaderboard.json").exists()


def test_a_stale_judge_does_not_begin_a_run_and_another_does_not_go_on_with_one(
    bench: Bench, copy: Path, tmp_path: Path
) -> None:
    cache = Path(shutil.copytree(bench.cache, tmp_path / "cache"))
    path = cache / "judge" / "small" / "lock.json"
    lock = json.loads(path.read_bytes())
    path.write_text(json.dumps({**lock, "image_id": "sha256:" + "4" * 64}), "utf-8")
    code, said = bench.evaluate(copy, HUMDIAL_CACHE=str(cache))
    assert (code, "E_PIN" in said, "another judge" in said, "begin a new run" in said) == (2, True, True, True), said
    path.write_text(json.dumps({**lock, "prompts": {}}), "utf-8")
    code, said = bench.evaluate(tmp_path / "run", HUMDIAL_CACHE=str(cache))
    assert (code, "built again" in said, "I_ENGINE" in said) == (3, True, True), said
    assert not (tmp_path / "run").exists()


def test_changed_inputs_are_seen_and_unchanged_ones_read_once(bench: Bench, copy: Path, tmp_path: Path) -> None:
    cache = Path(shutil.copytree(bench.cache, tmp_path / "cache"))
    inputs = Path(shutil.copytree(bench.dev, tmp_path / "inputs"))
    arguments = ("--inputs", str(inputs))
    shutil.rmtree(cache / "digests", ignore_errors=True)
    assert bench.evaluate(copy, *arguments, HUMDIAL_CACHE=str(cache))[0] == 0
    (memo,) = (cache / "digests").iterdir()
    kept = json.loads(memo.read_bytes())
    memo.write_text(json.dumps({**kept, "digest": "sha256:remembered"}), "utf-8")
    code, said = bench.evaluate(copy, *arguments, HUMDIAL_CACHE=str(cache))
    assert (code, "inputs was" in said, "remembered" in said) == (2, True, True), said
    wav = next(inputs.rglob("*.wav"))
    raw, times = bytearray(wav.read_bytes()), (wav.stat().st_atime_ns, wav.stat().st_mtime_ns)
    raw[-1] ^= 1
    wav.write_bytes(raw)
    os.utime(wav, ns=times)  # the same size and time as before
    code, said = bench.evaluate(copy, *arguments, HUMDIAL_CACHE=str(cache))
    assert (code, "inputs was" in said, "remembered" in said) == (2, True, False), said


def test_other_limits_are_another_run(bench: Bench, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("wall_s = 61\n", "utf-8")
    code, said = bench.evaluate(copy, "--limits", str(tmp_path / "limits.toml"))
    assert (code, "E_PIN" in said, "limits.wall_s" in said) == (2, True, True), said


def test_two_live_writers(bench: Bench, run: Path, tmp_path: Path) -> None:
    """The first hangs in the middle, the second is told who has the run; when the first is killed, nobody has it."""
    first = bench.warm.start(
        bench.arguments(tmp_path / "run"), bench.environment(HD_FAULT="rename:9:hang"), tmp_path / "said", "none"
    )
    until = time.monotonic() + 300
    while not (tmp_path / "run" / "journal.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)
    code, said = bench.evaluate(tmp_path / "run")
    assert (code, "E_LOCKED" in said, f"process {first}" in said) == (3, True, True), said
    os.kill(first, signal.SIGKILL)
    bench.warm.wait(first)
    code, said = bench.evaluate(tmp_path / "run")
    assert code == 0, said
    assert published(tmp_path / "run") == published(run)


def _tables(run: Path) -> list[dict[str, bytes]]:
    """Every table that was published, by its file's name; an empty one stands for "none from now on"."""
    records = [record.data for record in scan(run / "journal.jsonl").records if record.event == "published"]
    blobs = Blobs(RunIO(run), run / "blobs")
    return [{name: blobs.get(sha256) for name, sha256 in record.items()} for record in records]


def _shown(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in PUBLISHED_FILES if (run / name).exists()}


def test_a_table_that_another_takes_the_place_of_is_kept(
    bench: Bench, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later humdial may write the same ranking in other words."""
    before = _shown(copy)
    assert _tables(copy) == [before] and len(before) == 5
    for name, value in bench.environment().items():
        monkeypatch.setenv(name, value)
    in_other_words = {name: lambda board: board.track.encode() for name in before if name != "review.json"}
    monkeypatch.setattr("harness.cli.evaluate.table_renderers", lambda challenge: in_other_words)
    code, said = here(*bench.arguments(copy))
    assert code == 0, said
    after = dict.fromkeys(before, b"track1") | {"review.json": before["review.json"]}
    assert _tables(copy) == [before, after] and _shown(copy) == after


def test_a_long_list_for_review_is_cut_on_the_screen_alone(
    bench: Bench, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bench.environment().items():
        monkeypatch.setenv(name, value)
    flags = tuple(RunFlag("F_DUP_SUBMISSION", ("alpha", "beta"), f"finding {number}", 1, 1) for number in range(25))
    real = campaign.review_run
    monkeypatch.setattr(campaign, "review_run", lambda *given: replace(real(*given), flags=flags))
    code, said = here(*bench.arguments(copy))
    assert code == 0 and "finding 19" in said and "finding 20" not in said and "for review: 5 more in " in said, said
    assert len(json.loads((copy / "review.json").read_bytes())["flags"]) == 25


def test_scores_of_another_judge_are_not_published(bench: Bench, run: Path, copy: Path) -> None:
    """Even in a journal whose sums are right."""
    records = scan(copy / "journal.jsonl").records
    (copy / "journal.jsonl").unlink()
    io = RunIO(copy)
    journal, blobs = Journal(io, copy / "journal.jsonl"), Blobs(io, copy / "blobs")
    for record in records:
        data = dict(record.data)
        if record.event == "scored" and data["team"] == "beta":
            report = json.loads(blobs.get(data["report"]))
            report["judge"]["fingerprint"] = "sha256:" + "9" * 64
            data["report"] = blobs.put(pretty_json(report))
        journal.append((record.event, data))
    journal.close()
    code, said = bench.evaluate(copy)
    assert (code, "beta: judged by another judge" in said, "nothing was published" in said) == (1, True, True), said
    assert not list(copy.glob("leaderboard.*"))
    first, last = _tables(copy)
    assert first == _shown(run) and (last, _shown(copy)) == ({}, {})
