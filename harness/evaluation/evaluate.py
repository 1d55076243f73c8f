"""A whole challenge: every team through run, prepare, judge and score, and one table at the end.

This process gives tasks to an executor and has what comes back written down (writer.py), before anything stands on it.
So whatever is killed, the same command goes on from the last record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.verdict import JudgeRequest
from harness.evaluation.executors import Executor
from harness.evaluation.preparing import read_requests
from harness.evaluation.progress import Progress
from harness.evaluation.run_directory import RunDirectory
from harness.evaluation.run_files import check_outputs
from harness.evaluation.standings import AttemptState, TeamState, fold, looked_at, runs_next
from harness.evaluation.stored_score import tolerated, verdicts_of
from harness.evaluation.tasks import Failure, HearTask, JudgeTask, PrepareTask, Result, RunTask, Task
from harness.evaluation.teams_file import Team
from harness.evaluation.writer import Writer

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
    writer: Writer = field(init=False)
    running: dict[int, tuple[Task, int]] = field(default_factory=dict)
    submitted: int = 0
    landed: list[tuple[Task, int, Result]] = field(default_factory=list)
    scorable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = fold(self.teams, self.run.journal.records)
        self.writer = Writer(self.run, self.challenge, self.progress, self.states)
        self.progress.follow(self.states, self.writer.failures, hears=self.writer.hears)

    def work(self) -> dict[str, Failure]:
        """Do everything that is left. Returns the teams that our side could not bring to an end, and why."""
        for state in self.states.values():
            if state.counted is not None:
                self.writer.keep_ledger(state)  # a crash may have come between the journal and the ledger
        while True:
            self._start_what_can()
            written = self._write_down()
            if self.running:
                for number, result in self.executor.wait(0 if written else _WAIT_S):
                    self.landed.append((*self.running.pop(number), result))
            elif not written and not self._rest():
                return self.writer.failures

    def _write_down(self) -> bool:
        """Write down what came back, or else score one team: whatever could be started is under way meanwhile. False
        when there was nothing to do."""
        if self.landed:
            for landed in self.landed:
                self.writer.take(*landed)
            self.landed.clear()
        elif self.scorable:
            self.writer.score(self.states[self.scorable[0]])
        else:
            return False
        return True

    def _rest(self) -> bool:
        """Wait for the first of the teams that are to be tried again; whether there is one."""
        if not self.writer.resting:
            return False
        time.sleep(max(0.0, min(self.writer.resting.values()) - time.monotonic()))
        return True

    def _start_what_can(self) -> None:
        now = time.monotonic()
        self.writer.resting = {name: until for name, until in self.writer.resting.items() if until > now}
        busy = {task.team for task, _ in self.running.values()} | {task.team for task, _, _ in self.landed}
        busy |= self.writer.failures.keys() | self.writer.resting.keys()
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
        images = [state for state in open_ if runs_next(state, self.challenge)] if self.writer.hears else []
        if self.writer.hears and self.executor.shares_this_machine:
            alone = any(isinstance(task, RunTask) for task, *_ in (*self.running.values(), *self.landed))
            if alone or (images and (self.running or self.landed)):
                return
            yield from images[:1] or open_
            return
        first = {state.team.name for state in images}
        yield from images
        yield from (state for state in open_ if state.team.name not in first)

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
            self.writer.count(state)
        chosen = state.chosen
        if chosen is None or chosen.prepared is None:
            return None
        if self.writer.hears and state.heard is None:
            return self._listen(state, chosen)
        if not state.judged and not self._room("judge"):
            return None  # to read what it asks would be in vain
        if missing := self._missing(state, chosen):
            number = chosen.attempt.number
            audio = self.writer.prepared_in(state, chosen) / "audio"
            names = {Path(request.audio).name for request in missing if request.audio is not None}
            if any(not (audio / name).is_file() for name in names):
                return self._listen(state, chosen) if self.writer.hears else self._look(state, chosen)
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
        settled = verdicts.keys() | tolerated(state, self.run.blobs, requests, self.writer.terms)
        return tuple(each for each in requests.values() if (each.item, each.sample) not in settled)

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
        work, checked = self.writer.prepared_in(state, chosen), (chosen.prepared or {})["source"]
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
        source = each.attempt.submission or self.writer.outputs(state.team.name, each.attempt.number)
        if each.ran is not None:
            check_outputs(state.team.name, source, self.run.blobs.get(each.ran["record"]))
        return source, each.attempt.image is not None
