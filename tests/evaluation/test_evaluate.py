"""A whole challenge from folders, archives and stored verdicts, without an engine: published, resumed, refused."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs
import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import pretty_json, to_plain
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import MachineError
from harness.evaluation.executors.local import LocalExecutor
from harness.evaluation.judge_image import show_judge
from harness.evaluation.judge_lock import JudgeLock
from harness.evaluation.preparing import read_requests
from harness.evaluation.run_directory import held
from harness.evaluation.tasks import Prepared, PrepareTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.judge.canaries import canary_requests, planted
from harness.resources import schema_path

CANARY = "canary-3f9d22ab"
TABLES = ("leaderboard.json", "leaderboard.md", "leaderboard.csv")


@dataclass(frozen=True)
class Bench:
    """A challenge of three teams whose verdicts are all in ``cache``."""

    folder: Path
    dev: Path
    cache: Path

    def evaluate(self, out: Path, *more: str, teams: str = "teams.toml", **environment: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "harness", "evaluate", str(self.folder / teams), "--out", str(out)]
        command += ["--inputs", str(self.dev), "--references", str(self.dev), *more]
        env = {**os.environ, "HUMDIAL_CACHE": str(self.cache), "DOCKER_HOST": "unix:///nowhere.sock"}
        env |= {"HUMDIAL_SECRET": f"{CANARY}-environment", **environment}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600)
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        assert CANARY not in done.stderr + done.stdout
        return done.returncode, done.stderr + done.stdout


def _published(run: Path) -> dict[str, bytes]:
    paths = [*(run / name for name in TABLES), *sorted(run.glob("teams/*/scores/*"))]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def _verdict(request: JudgeRequest, mark: int) -> Verdict:
    scores: dict[str, int | str] = dict.fromkeys(request.dimensions, mark)
    return Verdict(request.item, request.sample, scores, {}, "0" * 64, 1, "scored")


def _store(cache: Path, dev: Path, submissions: Iterable[Path], work: Path, *, good: int = 5) -> None:
    """A judge that was built, and what it said of every reply and known-answer item."""
    challenge = load_challenge()
    profile = challenge.judges["small"]
    lock = JudgeLock(1, "small", "sha256:1", "sha256:" + "2" * 64, "sha256:3", {})
    (cache / "judge" / "small").mkdir(parents=True)
    (cache / "judge" / "small" / "lock.json").write_bytes(pretty_json(to_plain(lock)))
    fingerprint = show_judge(challenge, profile).fingerprint
    store = VerdictStore(cache / "verdicts", fingerprint)
    kinds = {canary.name: canary.kind for canary in planted(challenge, profile)}
    for name, request in canary_requests(challenge, profile, fingerprint).items():
        store.keep([_verdict(request, good if kinds[name] == "good" else 1)])
    setting = Setting("humdial-2026", dev, dev, "small", "strict", "track1", fingerprint, "0", "0")
    for number, submission in enumerate(submissions):
        done = execute(PrepareTask("any", submission, False, work / str(number)), setting)
        assert isinstance(done, Prepared) and done.requests is not None, done
        store.keep(_verdict(request, 5 - 2 * number) for request in read_requests(done.requests).values())


def _planted(dev: Path, target: Path) -> Path:
    """The dev folder with a canary behind every text of the users, in a field of no meaning and in files beside."""
    shutil.copytree(dev, target)
    for path in sorted(target.glob("*/task*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for row in rows:
            row["note"] = f"{CANARY}-note"
            for turn in row["turns"]:
                turn["text"] += f" {CANARY}-text"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    for path in (target / "secret.txt", target.parent / "secret.txt"):
        path.write_text(f"{CANARY}-file", "utf-8")
    return target


@pytest.fixture(scope="module")
def bench(dev: Path, paper: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("evaluate")
    dev = _planted(dev, folder / "dev")
    other = folder / "other"
    shutil.copytree(paper, other)
    for path in sorted(other.glob("*/task*.jsonl")):
        path.write_text(path.read_text("utf-8").replace(". ", ", indeed. ").replace("。", "，真的。"), "utf-8")
    shutil.copytree(paper, folder / "broken")
    next((folder / "broken").glob("*/task2.jsonl")).write_text("{", "utf-8")
    shutil.copytree(paper, folder / "paper")
    shutil.make_archive(str(folder / "archive"), "zip", folder / "paper")
    rows = {"alpha": "paper", "beta": "other", "gamma": "broken", "delta": "archive.zip"}
    lines = [f'[[team]]\nname = "{name}"\ntrack = "track1"\nsubmission = "{path}"\n' for name, path in rows.items()]
    (folder / "teams.toml").write_text("\n".join(lines), "utf-8")
    (folder / "swapped.toml").write_text("\n".join(reversed(lines)), "utf-8")
    cache = folder / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUMDIAL_CACHE", str(cache))
        _store(cache, dev, [folder / "paper", other], folder / "work")
    return Bench(folder, dev, cache)


@pytest.fixture(scope="module")
def run(bench: Bench) -> Path:
    out = bench.folder / "run"
    code, said = bench.evaluate(out)
    assert code == 0, said
    return out


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
    attempts = [json.loads(line)["data"] for line in (run / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert {each["team"]: each["counts"] for each in attempts} == {
        "alpha": True, "beta": True, "delta": True, "gamma": False,
    }  # fmt: skip


def test_teams_that_are_alike_are_named_for_the_organisers_alone(run: Path) -> None:
    """The same folder as a folder and as an archive; nothing of it stands where teams or the public look."""
    review = json.loads((run / "review.json").read_bytes())
    schema = json.loads(schema_path("run-review").read_text("utf-8"))
    assert list(jsonschema_rs.validator_for(schema).iter_errors(review)) == []
    found = {(flag["code"], *flag["teams"]) for flag in review["flags"]}
    # beta has a word more in each reply and the same WAVs; gamma is not valid.
    assert {("F_DUP_AUDIO", "alpha", "delta"), ("F_DUP_SUBMISSION", "alpha", "delta")} <= found
    assert {("F_DUP_AUDIO", "alpha", "beta"), ("F_DUP_SUBMISSION", "alpha", "beta")} <= found
    assert not any("gamma" in teams for _, *teams in found)
    shown = b"".join(data for path, data in _published(run).items() if path != "review.json")
    assert b"F_DUP" not in shown


def test_gold_files_and_variables_stand_in_nothing_that_is_shown(bench: Bench, run: Path, tmp_path: Path) -> None:
    """Every file of the run but the blobs, which the judge's prompts are made of; and what is made of it afterwards."""
    for command in (["report", run, "--out", tmp_path / "report.html"], ["leaderboard", run, "-f", "json"]):
        done = subprocess.run([sys.executable, "-m", "harness", *command], capture_output=True, text=True, check=True)
        (tmp_path / f"{command[0]}.txt").write_text(done.stdout + done.stderr, "utf-8")
    shown = [path for path in [*run.rglob("*"), *tmp_path.rglob("*")] if path.is_file()]
    assert {"leaderboard.csv", "review.json", "validation.json", "items.jsonl", "report.html"} <= {
        p.name for p in shown
    }
    kept = [path for path in shown if CANARY.encode() in path.read_bytes()]
    assert kept and all(path.is_relative_to(run / "blobs") for path in kept), kept


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
    assert _published(copy) == _published(run)


def test_order_and_number_of_workers_change_no_byte(bench: Bench, run: Path, tmp_path: Path) -> None:
    code, said = bench.evaluate(tmp_path / "run", "--jobs", "3", teams="swapped.toml")
    assert code == 0, said
    assert _published(tmp_path / "run") == _published(run)


@pytest.mark.parametrize("fault", ["fsync:3:kill9", "rename:5:kill9", "write:9:short-write", "write:14:ENOSPC"])
def test_a_run_that_was_broken_ends_as_one_that_was_not(bench: Bench, run: Path, tmp_path: Path, fault: str) -> None:
    code, said = bench.evaluate(tmp_path / "run", HD_FAULT=fault)
    assert code == (3 if "ENOSPC" in fault else -9), said
    assert not (tmp_path / "run" / "leaderboard.json").exists()
    code, said = bench.evaluate(tmp_path / "run")
    assert code == 0, said
    assert _published(tmp_path / "run") == _published(run)


@pytest.mark.parametrize("tail", [b'{"seq": 4', b"\x00" * 700, b"\xff\xfe garbage\n"])
def test_a_torn_tail_is_cut_off_and_kept(bench: Bench, run: Path, copy: Path, tail: bytes) -> None:
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-2]) + tail)
    code, said = bench.evaluate(copy)
    assert code == 0, said
    assert (copy / "journal.torn").read_bytes() == tail
    assert _published(copy) == _published(run)


def test_damage_in_the_middle_is_not_published(bench: Bench, copy: Path) -> None:
    journal = copy / "journal.jsonl"
    raw = bytearray(journal.read_bytes())
    raw[40] ^= 1
    journal.write_bytes(raw)
    code, said = bench.evaluate(copy)
    assert (code, "I_CORRUPT" in said) == (1, True), said


def test_a_changed_blob_is_not_published(bench: Bench, copy: Path) -> None:
    for path in (copy / "blobs").glob("*/*"):
        path.write_bytes(path.read_bytes() + b" ")
    code, said = bench.evaluate(copy)
    assert (code, "I_CORRUPT" in said) == (1, True), said


def test_changed_pins_are_named(bench: Bench, copy: Path) -> None:
    code, said = bench.evaluate(copy, "--policy", "published")
    assert (code, "E_PIN" in said, "policy" in said) == (2, True, True), said


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
    cache = tmp_path / "cache"
    shutil.copytree(bench.cache, cache)
    shutil.rmtree(cache / "verdicts")
    code, said = bench.evaluate(tmp_path / "run", HUMDIAL_CACHE=str(cache))
    assert code == 3, said
    assert "unfinished: alpha" in said and not (tmp_path / "run" / "leaderboard.json").exists()
    code, said = bench.evaluate(tmp_path / "run")
    assert code == 0, said
    assert _published(tmp_path / "run") == _published(run)


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


def test_a_judge_that_fails_known_answers_is_not_published(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("HUMDIAL_CACHE", str(cache))
    _store(cache, bench.dev, [bench.folder / "paper", bench.folder / "other"], tmp_path / "work", good=1)
    code, said = bench.evaluate(tmp_path / "run", HUMDIAL_CACHE=str(cache))
    assert (code, "known-answer" in said) == (1, True), said
    assert not (tmp_path / "run" / "leaderboard.json").exists()
