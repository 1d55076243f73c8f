"""A small challenge with a judge whose verdicts are all stored, and evaluations of it: without an engine, in processes
that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import pretty_json, to_plain
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.judge_image import show_judge
from harness.evaluation.judge_lock import JudgeLock, engine_versions
from harness.evaluation.preparing import read_requests
from harness.evaluation.tasks import Prepared, PrepareTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.judge import prompt_digests
from harness.judge.canaries import canary_requests, planted

# Stands behind every text of the users, in files beside them and in a variable: it may be shown nowhere.
CANARY = "canary-3f9d22ab"
TABLES = ("leaderboard.json", "leaderboard.md", "leaderboard.csv")
_SECRET = {"HUMDIAL_SECRET": f"{CANARY}-environment"}
_PROGRAM = Path(__file__).with_name("warm.py")


class Warm:
    """Talks to warm.py: evaluations in processes forked from one that has done such an evaluation already."""

    def __init__(self) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def start(
        self, arguments: list[str], environment: dict[str, str], said: Path, workers: str, points: Path | None = None
    ) -> int:
        """Begin an evaluation; returns its process id."""
        order = {"arguments": arguments, "environment": environment, "said": str(said), "workers": workers}
        return self._ask({**order, "points": str(points) if points else None})

    def rehearse(self, arguments: list[str], environment: dict[str, str]) -> None:
        """Do one in the process that the others are forked from."""
        self._ask({"rehearse": arguments, "environment": environment})

    def wait(self, process: int) -> int:
        """Its exit code, negative for a signal."""
        return self._ask({"wait": process})

    def close(self) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait()

    def _ask(self, order: dict[str, object]) -> int:
        self._pipe(self._process.stdin).write(json.dumps(order) + "\n")
        self._pipe(self._process.stdin).flush()
        return int(self._pipe(self._process.stdout).readline())

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@dataclass(frozen=True)
class Bench:
    """A challenge in ``folder`` (lists of teams and what they handed in) whose verdicts are all in ``cache``; ``dev``
    serves as inputs and as references."""

    folder: Path
    dev: Path
    cache: Path
    warm: Warm

    def arguments(self, out: Path, *more: str, teams: str = "teams.toml") -> list[str]:
        given = ["evaluate", str(self.folder / teams), "--out", str(out)]
        return [*given, "--inputs", str(self.dev), "--references", str(self.dev), *more]

    def environment(self, **more: str) -> dict[str, str]:
        return {"HUMDIAL_CACHE": str(self.cache), "DOCKER_HOST": "unix:///nowhere.sock", **_SECRET, **more}

    def evaluate(self, out: Path, *more: str, teams: str = "teams.toml", **environment: str) -> tuple[int, str]:
        """Exit code and what was said, of a forked process that does the tasks itself."""
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        arguments = self.arguments(out, *more, teams=teams)
        code = self.warm.wait(self.warm.start(arguments, self.environment(**environment), said, "none"))
        text = said.read_text("utf-8")
        assert "Traceback" not in text and CANARY not in text and code != 70, text
        return code, text

    def evaluate_apart(self, out: Path, *more: str, teams: str = "teams.toml", **environment: str) -> tuple[int, str]:
        """The same as a user does it: a process of its own with its workers."""
        command = [sys.executable, "-m", "harness", *self.arguments(out, *more, teams=teams)]
        env = {**os.environ, **self.environment(**environment)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=900)
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        assert CANARY not in done.stderr + done.stdout
        return done.returncode, done.stderr + done.stdout


def make_bench(folder: Path, dev: Path, paper: Path, warm: Warm, tasks: Sequence[str] = ("task2",)) -> Bench:
    """A challenge of those tasks and four teams: two good ones, the first once more as an archive, a broken one.

    ``dev`` is a dev folder, ``paper`` a submission that answers it.
    """
    tiny = folder / "dev"
    (folder / "paper").mkdir()
    for name in ("submission.json", "system_description.pdf"):
        shutil.copy(paper / name, folder / "paper")
    for place in (f"{language}/{task}" for language in ("zh", "en") for task in tasks):
        shutil.copytree(dev / place, tiny / place)
        _plant(dev / f"{place}.jsonl", tiny / f"{place}.jsonl")
        (folder / "paper" / place).parent.mkdir(exist_ok=True)
        shutil.copy(paper / f"{place}.jsonl", folder / "paper" / f"{place}.jsonl")
        if (paper / place).is_dir():
            shutil.copytree(paper / place, folder / "paper" / place)
    for path in (tiny / "secret.txt", folder / "secret.txt"):
        path.write_text(f"{CANARY}-file", "utf-8")
    shutil.copytree(folder / "paper", folder / "broken")
    (folder / "broken" / "zh" / "task2.jsonl").write_text("{", "utf-8")
    other = folder / "other"
    shutil.copytree(folder / "paper", other)
    for path in other.glob("*/task*.jsonl"):
        path.write_text(path.read_text("utf-8").replace(". ", ", indeed. ").replace("。", "，真的。"), "utf-8")
    shutil.make_archive(str(folder / "archive"), "zip", folder / "paper")
    rows = {"alpha": "paper", "beta": "other", "gamma": "broken", "delta": "archive.zip"}
    lines = [team_row(name, f'submission = "{path}"') for name, path in rows.items()]
    (folder / "teams.toml").write_text("".join(lines), "utf-8")
    (folder / "nothing.zip").write_text("no archive", "utf-8")
    (folder / "nothing").mkdir()
    nothing = team_row("gamma", 'submission = "nothing"')  # invalid at once: no reader is started for it
    (folder / "pair.toml").write_text(lines[0] + nothing, "utf-8")
    (folder / "trio.toml").write_text(lines[0] + lines[1] + nothing, "utf-8")
    (folder / "swapped.toml").write_text("".join(reversed(lines)), "utf-8")
    cache = folder / "cache"
    store_verdicts(cache, tiny, [folder / "paper", other], folder / "work")
    bench = Bench(folder, tiny, cache, warm)
    warm.rehearse(bench.arguments(folder / "rehearsal", teams="pair.toml"), bench.environment())
    shutil.rmtree(folder / "rehearsal")
    return bench


def _plant(source: Path, target: Path) -> None:
    """A list of dialogues with a canary behind every text of the users and in a field of no meaning."""
    rows = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    for row in rows:
        row["note"] = f"{CANARY}-note"
        for turn in row["turns"]:
            turn["text"] += f" {CANARY}-text"
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def team_row(name: str, *lines: str) -> str:
    return "\n".join(["[[team]]", f'name = "{name}"', 'track = "track1"', *lines, "", ""])


def store_judge(cache: Path, *, image_id: str = "sha256:1", inputs: str = "sha256:1", good: int = 5) -> VerdictStore:
    """A judge that was built, and what it said of its known-answer items (``good`` of good ones). Returns where its
    verdicts are stored."""
    challenge = load_challenge()
    profile = challenge.judges["small"]
    (cache / "judge" / "small").mkdir(parents=True)
    lock = JudgeLock(
        1, "small", inputs, image_id, "sha256:3", {},
        prompts=prompt_digests(), versions=engine_versions(), settings=profile.settings,
    )  # fmt: skip
    (cache / "judge" / "small" / "lock.json").write_bytes(pretty_json(to_plain(lock)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUMDIAL_CACHE", str(cache))
        fingerprint = show_judge(challenge, profile).fingerprint
    store = VerdictStore(cache / "verdicts", fingerprint)
    kinds = {canary.name: canary.kind for canary in planted(challenge, profile)}
    for name, request in canary_requests(challenge, profile, fingerprint).items():
        store.keep([verdict_of(request, good if kinds[name] == "good" else 1)])
    return store


def store_verdicts(cache: Path, dev: Path, submissions: Iterable[Path], work: Path, *, good: int = 5) -> None:
    """`store_judge`, and what it said of every reply: 5, 3, 1 for one submission after the other."""
    store = store_judge(cache, good=good)
    fingerprint = f"sha256:{store.folder.name}"
    setting = Setting("humdial-2026", dev, dev, "small", "strict", "track1", fingerprint, "0", "0")
    for number, submission in enumerate(submissions):
        done = execute(PrepareTask("any", submission, False, work / str(number)), setting)
        assert isinstance(done, Prepared) and done.requests is not None, done
        store.keep(verdict_of(request, 5 - 2 * number) for request in read_requests(done.requests).values())


def verdict_of(request: JudgeRequest, mark: int | str) -> Verdict:
    scores: dict[str, int | str] = dict.fromkeys(request.dimensions, mark)
    return Verdict(request.item, request.sample, scores, {}, "0" * 64, 1, "scored")


def published(run: Path) -> dict[str, bytes]:
    """Everything whose bytes may not depend on what was killed."""
    paths = [*(run / name for name in TABLES), *sorted(run.glob("teams/*/scores/*"))]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}
