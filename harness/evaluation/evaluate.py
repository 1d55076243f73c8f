"""A whole challenge: every team through run, prepare, judge and score, and one table at the end.

This process alone writes the journal. It gives tasks to an executor and writes down what comes back: blobs first, then
the record that speaks of them. So whatever is killed, the same command goes on from the last record.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import CanaryCheck
from harness.documents.verdict import Verdict
from harness.errors import MachineError, Refused, UsageError
from harness.evaluation.executors import Executor
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.preparing import read_requests
from harness.evaluation.progress import Progress
from harness.evaluation.run_directory import RunDirectory
from harness.evaluation.standings import (
    ATTEMPT,
    COUNTED,
    JUDGED,
    PREPARED,
    RAN,
    SCORED,
    AttemptState,
    TeamState,
    apply,
    choose,
    files_of,
    fold,
    ledger_entries,
    looked_at,
)
from harness.evaluation.stored_score import read_gold, score_stored, verdicts_of
from harness.evaluation.tasks import Failure, Judged, JudgeTask, Prepared, PrepareTask, Ran, Result, RunTask, Task
from harness.evaluation.teams_file import Team

# How long a team waits before what failed on our side is tried again: an engine that is being restarted needs a moment.
_PAUSES_S = (1.0, 6.0)
_WAIT_S = 1.0


@dataclass(slots=True)
class Campaign:
    """One evaluation under way. ``jobs`` bounds the team containers at once and the checks beside them, ``judges`` the
    judge's containers. Where there are ``gpus``, a team's container or a judge's has one of them to itself."""

    run: RunDirectory
    teams: tuple[Team, ...]
    challenge: Challenge
    executor: Executor
    progress: Progress
    jobs: int
    judges: int = 1
    gpus: tuple[str, ...] = ()
    states: dict[str, TeamState] = field(init=False)
    running: dict[int, tuple[Task, int]] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)
    resting: dict[str, float] = field(default_factory=dict)
    submitted: int = 0
    _gold: tuple[ReferenceDialogue, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.states = fold(self.teams, self.run.journal.records)
        self._gold = read_gold(self.run.blobs.get(self.run.pins.gold))
        self.progress.follow(self.states, self.failures)

    def work(self) -> dict[str, Failure]:
        """Do everything that is left. Returns the teams that our side could not bring to an end, and why."""
        for state in self.states.values():
            if state.counted is not None:
                self._keep_ledger(state)  # a crash may have come between the journal and the ledger
        while True:
            self._start_what_can()
            if not self.running:
                if not self._rest():
                    return self.failures
                continue
            for number, result in self.executor.wait(_WAIT_S):
                task, attempt = self.running.pop(number)
                self._take(task, attempt, result)

    def _rest(self) -> bool:
        """Wait for the first of the teams that are to be tried again; whether there is one."""
        if not self.resting:
            return False
        time.sleep(max(0.0, min(self.resting.values()) - time.monotonic()))
        return True

    def _start_what_can(self) -> None:
        now = time.monotonic()
        self.resting = {name: until for name, until in self.resting.items() if until > now}
        busy = {task.team for task, _ in self.running.values()}
        for name, state in self.states.items():
            if len(self.running) >= self.jobs + max(self.jobs, self.judges):
                return
            if name in busy or name in self.failures or name in self.resting:
                continue
            following = self._following(state)
            if following is not None and self._room(following[0]):
                task, attempt = self._with_gpu(following[0]), following[1]
                self.submitted += 1
                self.running[self.submitted] = task, attempt
                self.executor.submit(self.submitted, task)
                self.progress.started(task, attempt)

    def _room(self, task: Task) -> bool:
        if self.gpus and not isinstance(task, PrepareTask) and not self._free_gpus():
            return False
        limit = self.judges if task.stage == "judge" else self.jobs
        return sum(other.stage == task.stage for other, _ in self.running.values()) < limit

    def _free_gpus(self) -> list[str]:
        used = {task.gpu for task, _ in self.running.values() if not isinstance(task, PrepareTask)}
        return [gpu for gpu in self.gpus if gpu not in used]

    def _with_gpu(self, task: Task) -> Task:
        if not self.gpus or isinstance(task, PrepareTask):
            return task
        return replace(task, gpu=self._free_gpus()[0])

    def _following(self, state: TeamState) -> tuple[Task, int] | None:
        """The team's next task and the attempt it is about. Scores, which cost no task, are made on the way."""
        if state.final:
            return None
        while state.counted is None:
            open_ = next((each for each in looked_at(state, self.challenge) if each.outcome is None), None)
            if open_ is not None:
                return self._look(state, open_), open_.attempt.number
            self._record((COUNTED, choose(state, self.challenge) or {}))
            self._keep_ledger(state)
        chosen = state.chosen
        if chosen is None or chosen.prepared is None:
            return None
        requests = read_requests(self.run.blobs.get(chosen.prepared["requests"]))
        verdicts, canaries = verdicts_of(state, self.run.blobs)
        missing = tuple(r for r in requests.values() if (r.item, r.sample) not in verdicts)
        if missing and not state.asked:
            number = chosen.attempt.number
            audio = self.run.work(f"prepare-{state.team.name}-{number}", "audio")
            names = {Path(request.audio).name for request in missing if request.audio is not None}
            if any(not (audio / name).is_file() for name in names):
                return self._look(state, chosen), number
            return JudgeTask(state.team.name, missing, audio, self.run.work(f"judge-{state.team.name}")), number
        self._score(state, chosen, verdicts, canaries)
        return None

    def _look(self, state: TeamState, each: AttemptState) -> Task:
        name, number = state.team.name, each.attempt.number
        if each.attempt.image is not None and each.ran is None:
            return RunTask(name, each.attempt.image, self.run.work(f"run-{name}-{number}"))
        source = each.attempt.submission or self._outputs(name, number)
        collected = each.attempt.image is not None
        if each.ran is not None:
            check_outputs(name, source, self.run.blobs.get(each.ran["record"]))
        return PrepareTask(name, source, collected, self.run.work(f"prepare-{name}-{number}"))

    def _outputs(self, name: str, number: int) -> Path:
        """Where an attempt's outputs lie; the only attempt's are `outputs`, for people to find."""
        only = len(self.states[name].attempts) == 1
        return self.run.team(name) / ("outputs" if only else f"outputs-{number}")

    def _take(self, task: Task, attempt: int, result: Result) -> None:
        if isinstance(result, Failure):
            self._failed(task, attempt, result)
        elif isinstance(result, Ran):
            self._ran(task, attempt, result)
        elif isinstance(result, Prepared):
            self._prepared(task, attempt, result)
        else:
            self._judged(task, attempt, result)

    def _failed(self, task: Task, attempt: int, failure: Failure) -> None:
        if failure.code == "E_PIN":
            raise UsageError(failure.message, code="E_PIN", hint=failure.hint)
        key = (task.team, task.stage)
        self.tries[key] = self.tries.get(key, 0) + 1
        if not failure.again or self.tries[key] > len(_PAUSES_S):
            self.failures[task.team] = failure
        else:
            self.resting[task.team] = time.monotonic() + _PAUSES_S[self.tries[key] - 1]
        self.progress.failed(task, attempt, failure)

    def _ran(self, task: Task, attempt: int, result: Ran) -> None:
        record = json.loads(result.record)
        if record["fault"] == "infrastructure":
            codes = ", ".join(record.get("codes", ()))
            self._failed(task, attempt, Failure("R_INFRASTRUCTURE", f"the run failed ({codes})", "run again", True))
            return
        produced = task.work / "submission"
        target = self._outputs(task.team, attempt)
        if produced.is_dir():
            self.run.io.flush(produced)
            _remove(target)
            self.run.io.move(produced, target)
        self.run.place(self.run.team(task.team) / "run.json", result.record)
        if result.log:
            self.run.place(self.run.team(task.team) / "container.log", result.log)
        entry = {"team": task.team, "attempt": attempt, "state": record["state"], "fault": record["fault"]}
        self._record((RAN, {**entry, "record": self.run.blobs.put(result.record)}))
        self.progress.ended(task, attempt, f"run {record['state']}")

    def _prepared(self, task: Task, attempt: int, result: Prepared) -> None:
        before = self.states[task.team].attempt(attempt).prepared
        if before is not None and before["source"] != result.source:
            raise UsageError(
                f"what {task.team} handed in has changed since this run looked at it",
                code="E_PIN",
                hint="restore it, or begin a new run",
            )
        blobs = self.run.blobs
        self.run.place(self.run.team(task.team) / "validation.json", result.validation)
        entry: dict[str, Any] = {"team": task.team, "attempt": attempt, "source": result.source, "valid": result.valid}
        entry["validation"] = blobs.put(result.validation)
        entry["submission"] = None if result.submission is None else blobs.put(result.submission)
        entry["requests"] = None if result.requests is None else blobs.put(result.requests)
        if before is None:
            self._record((PREPARED, entry))
        self.progress.ended(task, attempt, f"{'valid' if result.valid else 'invalid'} submission")

    def _judged(self, task: Task, attempt: int, result: Judged) -> None:
        self.states[task.team].asked = True
        blobs = self.run.blobs
        entry = {"team": task.team, "verdicts": blobs.put(result.verdicts), "canaries": blobs.put(result.canaries)}
        self._record((JUDGED, entry))
        self.progress.ended(task, attempt, "judged")

    def _score(
        self,
        state: TeamState,
        chosen: AttemptState,
        verdicts: dict[tuple[str, int], Verdict],
        canaries: CanaryCheck | None,
    ) -> None:
        pins, blobs, prepared = self.run.pins, self.run.blobs, chosen.prepared or {}
        assert state.counted is not None
        submission, requests = blobs.get(prepared["submission"]), blobs.get(prepared["requests"])
        scored = score_stored(
            self._gold, pins.gold_layout, submission, requests, verdicts, self.challenge, pins.policy, pins.judge,
            state.team, canaries, late=state.counted["late"],
        )  # fmt: skip
        kept = {"report": scored.report, "items": scored.items, "review": scored.review}
        entry = {"team": state.team.name, **{name: blobs.put(raw) for name, raw in kept.items()}}
        self._record((SCORED, {**entry, "complete": scored.complete}))
        state.asked = False
        if not scored.complete:
            self.failures[state.team.name] = Failure(
                "I_JUDGE", "some replies have no verdict", "run the same command again", True
            )
        _remove(self.run.work(f"prepare-{state.team.name}-{chosen.attempt.number}"))

    def _keep_ledger(self, state: TeamState) -> None:
        known = {(record.data["team"], record.data["attempt"]) for record in self.run.ledger.records}
        entries = [
            (ATTEMPT, entry)
            for entry in ledger_entries(state, self.challenge)
            if (entry["team"], entry["attempt"]) not in known
        ]
        if entries:
            self.run.ledger.append(*entries)

    def _record(self, *events: tuple[str, dict[str, Any]]) -> None:
        for record in self.run.journal.append(*events):
            apply(self.states, record)


def check_outputs(name: str, folder: Path, record: bytes) -> None:
    """Raises Refused (I_CORRUPT) when an image's outputs are not the files that its run record lists."""
    listed = {entry["path"]: entry["sha256"].removeprefix("sha256:") for entry in json.loads(record)["outputs"]}
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if present.keys() != listed.keys() or any(
        path.is_symlink() or file_digest(path).removeprefix("sha256:") != listed[key] for key, path in present.items()
    ):
        raise Refused(
            f"the outputs of {name} are not those that its run record lists",
            code="I_CORRUPT",
            hint="restore the folder from a copy, or begin a new run",
        )


def restore_files(run: RunDirectory, states: dict[str, TeamState]) -> None:
    """Make the files for people what the journal says they are."""
    for state in states.values():
        if state.scored is None:  # whatever lies there is none of ours
            _remove(run.team(state.team.name) / "scores")
        for name, sha256 in files_of(state):
            run.place(run.path / name, run.blobs.get(sha256))


def _remove(path: Path) -> None:
    import shutil

    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise MachineError(
            f"{path.name} could not be deleted: {error.strerror}", code="I_DISK", hint="delete it by hand, run again"
        ) from error
