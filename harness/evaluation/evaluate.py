"""A whole challenge: every team through run, prepare, judge and score, and one table at the end.

This process alone writes the journal. It gives tasks to an executor and writes down what comes back: blobs first, then
the record that speaks of them. So whatever is killed, the same command goes on from the last record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge
from harness.documents.verdict import JudgeRequest
from harness.errors import UsageError
from harness.evaluation.executors import Executor
from harness.evaluation.preparing import changed, read_requests
from harness.evaluation.progress import Progress
from harness.evaluation.run_directory import RunDirectory
from harness.evaluation.run_files import check_outputs, remove
from harness.evaluation.standings import (
    ATTEMPT,
    COUNTED,
    HEARD,
    JUDGED,
    PREPARED,
    RAN,
    SCORED,
    AttemptState,
    TeamState,
    apply,
    choose,
    fold,
    ledger_entries,
    looked_at,
    runs_next,
    score_key,
)
from harness.evaluation.stored_score import (
    Gold,
    ScoreTerms,
    score_stored,
    stored_gold,
    terms_of,
    tolerated,
    verdicts_of,
)
from harness.evaluation.tasks import (
    Failure,
    Heard,
    HearTask,
    Judged,
    JudgeTask,
    Prepared,
    PrepareTask,
    Ran,
    Result,
    RunTask,
    Task,
)
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
    landed: list[tuple[Task, int, Result]] = field(default_factory=list)
    scorable: list[str] = field(default_factory=list)
    _gold: Gold = field(init=False)

    def __post_init__(self) -> None:
        self.states = fold(self.teams, self.run.journal.records)
        self._gold = stored_gold(self.run.pins, self.run.blobs)
        self.progress.follow(self.states, self.failures, hears=self._hears)

    def work(self) -> dict[str, Failure]:
        """Do everything that is left. Returns the teams that our side could not bring to an end, and why."""
        for state in self.states.values():
            if state.counted is not None:
                self._keep_ledger(state)  # a crash may have come between the journal and the ledger
        while True:
            self._start_what_can()
            written = self._write_down()
            if self.running:
                for number, result in self.executor.wait(0 if written else _WAIT_S):
                    self.landed.append((*self.running.pop(number), result))
            elif not written and not self._rest():
                return self.failures

    def _write_down(self) -> bool:
        """Write down what came back, or else score one team: whatever could be started is under way meanwhile. False
        when there was nothing to do."""
        if self.landed:
            for landed in self.landed:
                self._take(*landed)
            self.landed.clear()
        elif self.scorable:
            self._score(self.states[self.scorable[0]])
        else:
            return False
        return True

    def _rest(self) -> bool:
        """Wait for the first of the teams that are to be tried again; whether there is one."""
        if not self.resting:
            return False
        time.sleep(max(0.0, min(self.resting.values()) - time.monotonic()))
        return True

    def _start_what_can(self) -> None:
        now = time.monotonic()
        self.resting = {name: until for name, until in self.resting.items() if until > now}
        busy = {task.team for task, _ in self.running.values()} | {task.team for task, _, _ in self.landed}
        busy |= self.failures.keys() | self.resting.keys()
        self.scorable.clear()
        for state in self._in_turn(busy):
            if len(self.running) >= self.jobs + max(self.jobs, self.judges):
                return
            following = self._following(state)
            if following is not None and self._room(following[0].stage):
                task, attempt = self._with_gpu(following[0]), following[1]
                self.submitted += 1
                self.running[self.submitted] = task, attempt
                self.executor.submit(self.submitted, task)
                self.progress.started(task, attempt)

    def _in_turn(self, busy: set[str]) -> Iterator[TeamState]:
        """Who may go on. Where delays are measured, images go first, and one that runs on this machine has it to
        itself: nothing of ours is done beside it, and nothing else begins before the last has run."""
        open_ = [state for name, state in self.states.items() if name not in busy]
        images = [state for state in open_ if runs_next(state, self.challenge)] if self._hears else []
        if self._hears and self.executor.shares_this_machine:
            alone = any(isinstance(task, RunTask) for task, *_ in (*self.running.values(), *self.landed))
            if alone or (images and (self.running or self.landed)):
                return
            yield from images[:1] or open_
            return
        first = {state.team.name for state in images}
        yield from images
        yield from (state for state in open_ if state.team.name not in first)

    @property
    def _hears(self) -> bool:
        """Whether the track is a full-duplex one."""
        return self.run.pins.hearing is not None

    def _room(self, stage: str) -> bool:
        if self.gpus and stage != "prepare" and not self._free_gpus():
            return False
        limit = self.judges if stage == "judge" else self.jobs
        return sum(other.stage == stage for other, _ in self.running.values()) < limit

    def _free_gpus(self) -> list[str]:
        used = {task.gpu for task, _ in self.running.values() if not isinstance(task, PrepareTask)}
        return [gpu for gpu in self.gpus if gpu not in used]

    def _with_gpu(self, task: Task) -> Task:
        if not self.gpus or isinstance(task, PrepareTask):
            return task
        return replace(task, gpu=self._free_gpus()[0])

    def _following(self, state: TeamState) -> tuple[Task, int] | None:
        """The team's next task and the attempt it is about; None for now, too. Who only waits for scores, which are no
        task, is `scorable`."""
        if state.final:
            return None
        while state.counted is None:
            open_ = next((each for each in looked_at(state, self.challenge) if each.outcome is None), None)
            if open_ is not None:
                return self._look(state, open_)
            self._record((COUNTED, choose(state, self.challenge) or {}))
            self._keep_ledger(state)
        chosen = state.chosen
        if chosen is None or chosen.prepared is None:
            return None
        if self._hears and state.heard is None:
            return self._listen(state, chosen)
        if not state.judged and not self._room("judge"):
            return None  # to read what it asks would be in vain
        if missing := self._missing(state, chosen):
            number = chosen.attempt.number
            audio = self._prepared_in(state, chosen) / "audio"
            names = {Path(request.audio).name for request in missing if request.audio is not None}
            if any(not (audio / name).is_file() for name in names):
                return self._listen(state, chosen) if self._hears else self._look(state, chosen)
            return JudgeTask(state.team.name, missing, audio, self.run.work(f"judge-{state.team.name}")), number
        self.scorable.append(state.team.name)
        return None

    def _missing(self, state: TeamState, chosen: AttemptState) -> tuple[JudgeRequest, ...]:
        """What the judge is still to be asked, by this process."""
        asked = state.requests(chosen)
        if state.asked or asked is None:
            return ()
        requests = read_requests(self.run.blobs.get(asked))
        verdicts, _ = verdicts_of(state, self.run.blobs)
        settled = verdicts.keys() | tolerated(state, self.run.blobs, requests, self._terms)
        return tuple(each for each in requests.values() if (each.item, each.sample) not in settled)

    @property
    def _terms(self) -> ScoreTerms:
        pins = self.run.pins
        return terms_of(pins, self.challenge, pins.policy, pins.judge)

    def _look(self, state: TeamState, each: AttemptState) -> tuple[Task, int] | None:
        """The run of a hand-in, or its check; None while there is no room, for outputs are read to offer a check."""
        name, number = state.team.name, each.attempt.number
        image = each.attempt.image if each.ran is None else None
        if not self._room("prepare" if image is None else "run"):
            return None
        if image is not None:
            return RunTask(name, image, self.run.work(f"run-{name}-{number}")), number
        source, collected = self._source(state, each)
        return PrepareTask(name, source, collected, self.run.work(f"prepare-{name}-{number}")), number

    def _listen(self, state: TeamState, chosen: AttemptState) -> tuple[Task, int] | None:
        """What is heard of the hand-in that counts; once that is known, its canonical audio alone."""
        if not self._room("hear"):
            return None
        heard, blobs = state.heard, self.run.blobs
        known = None if heard is None else (blobs.get(heard["speech"]), blobs.get(heard["words"]))
        source, collected = self._source(state, chosen)
        others = next((each.heard["speech"] for each in self.states.values() if each.heard is not None), None)
        work, checked = self._prepared_in(state, chosen), (chosen.prepared or {})["source"]
        task = HearTask(state.team.name, source, collected, work, checked, self._words(state, chosen), known)
        if others is not None and known is None:
            task = replace(task, others=blobs.get(others))
        return task, chosen.attempt.number

    @staticmethod
    def _words(state: TeamState, chosen: AttemptState) -> str:
        """Where ready words of a hand-in lie: in a folder of the team's name, or of the attempt's number in there."""
        return state.team.name if len(state.attempts) == 1 else f"{state.team.name}/{chosen.attempt.number}"

    def _source(self, state: TeamState, each: AttemptState) -> tuple[Path, bool]:
        """Where a hand-in lies, and whether an image wrote it. Raises Refused (I_CORRUPT) for changed outputs."""
        source = each.attempt.submission or self._outputs(state.team.name, each.attempt.number)
        if each.ran is not None:
            check_outputs(state.team.name, source, self.run.blobs.get(each.ran["record"]))
        return source, each.attempt.image is not None

    def _prepared_in(self, state: TeamState, chosen: AttemptState) -> Path:
        """Where what the judge needs of the hand-in that counts is made."""
        if self._hears:
            return self.run.work(f"hear-{state.team.name}")
        return self.run.work(f"prepare-{state.team.name}-{chosen.attempt.number}")

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
        elif isinstance(result, Heard):
            self._heard(task, attempt, result)
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
            remove(target)
            self.run.io.move(produced, target)
        if result.log:
            self.run.place(self.run.team(task.team) / "container.log", result.log)
        entry = {"team": task.team, "attempt": attempt, "state": record["state"], "fault": record["fault"]}
        self._record((RAN, {**entry, "record": self.run.blobs.put(result.record)}))
        self.run.place(self.run.team(task.team) / "run.json", result.record)  # never before the journal knows it
        self.progress.ended(task, attempt, f"run {record['state']}")

    def _prepared(self, task: Task, attempt: int, result: Prepared) -> None:
        before = self.states[task.team].attempt(attempt).prepared
        if before is not None and before["source"] != result.source:
            raise changed(task.team)
        blobs = self.run.blobs
        entry: dict[str, Any] = {"team": task.team, "attempt": attempt, "source": result.source, "valid": result.valid}
        entry["validation"] = blobs.put(result.validation)
        entry["submission"] = None if result.submission is None else blobs.put(result.submission)
        entry["requests"] = None if result.requests is None else blobs.put(result.requests)
        if before is None:
            self._record((PREPARED, entry))
        self.run.place(self.run.team(task.team) / "validation.json", result.validation)
        self.progress.ended(task, attempt, f"{'valid' if result.valid else 'invalid'} submission")

    def _heard(self, task: Task, attempt: int, result: Heard) -> None:
        state, blobs = self.states[task.team], self.run.blobs
        entry: dict[str, Any] = {"team": task.team, "attempt": attempt, "speech": blobs.put(result.speech)}
        entry |= {"words": blobs.put(result.words), "requests": blobs.put(result.requests)}
        if state.heard is None:
            self._record((HEARD, entry))
        elif state.heard["requests"] != entry["requests"]:
            raise UsageError(
                f"the canonical audio of {task.team} comes out otherwise than when it was heard",
                code="E_PIN",
                hint="go on with the humdial that began the run, or begin a new run",
            )
        self.progress.ended(task, attempt, "heard")

    def _judged(self, task: Task, attempt: int, result: Judged) -> None:
        self.states[task.team].asked = True
        blobs = self.run.blobs
        entry = {"team": task.team, "verdicts": blobs.put(result.verdicts), "canaries": blobs.put(result.canaries)}
        self._record((JUDGED, entry))
        self.progress.ended(task, attempt, "judged")

    def _score(self, state: TeamState) -> None:
        chosen, blobs = state.chosen, self.run.blobs
        assert chosen is not None and state.counted is not None
        verdicts, canaries = verdicts_of(state, blobs)
        requests, late = read_requests(blobs.get(state.requests(chosen) or "")), bool(state.counted["late"])
        scored = score_stored(self._gold, self._terms, state, chosen, requests, verdicts, canaries, blobs, late=late)
        entry = {"team": state.team.name, **{score_key(name): blobs.put(raw) for name, raw in scored.files.items()}}
        self._record((SCORED, {**entry, "complete": scored.complete}))
        state.asked = False
        if not scored.complete:
            self.failures[state.team.name] = Failure(
                "I_JUDGE", "some replies have no verdict", "run the same command again", True
            )
        remove(self._prepared_in(state, chosen))

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
