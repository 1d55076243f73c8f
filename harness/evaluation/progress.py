"""How far an evaluation is, what failed so far, and when it may end: told to whoever watches, and to events.jsonl.

Nothing is computed from events.jsonl again, so its lines are not flushed to the disk one by one, and a half line that a
crash left is cut off.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.documents.codec import jsonl, to_plain
from harness.documents.progress import EventName, ProgressEvent
from harness.evaluation.run_io import RunIO
from harness.evaluation.standings import TeamState
from harness.evaluation.tasks import Failure, Task

EVENTS = "events.jsonl"
SCHEMA_VERSION = 1


class Watcher(Protocol):
    """Who looks on. What it does with an event is its own affair; it must not raise."""

    def note(self, text: str) -> None:
        """Something outside the count, such as the building of the judge."""

    def event(self, event: ProgressEvent) -> None:
        """The next event."""


@dataclass(slots=True)
class Progress:
    """Counts for one process. ``jobs`` and ``judges`` say how many steps go on at once; ``clock`` gives seconds since
    the epoch, ``timer`` seconds that never go back."""

    io: RunIO
    folder: Path
    watcher: Watcher
    jobs: int
    judges: int = 1
    clock: Callable[[], float] = time.time
    timer: Callable[[], float] = time.monotonic
    states: Mapping[str, TeamState] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    hears: bool = False
    _begun: float = field(init=False)
    _since: dict[tuple[str, str], float] = field(default_factory=dict)
    _took: dict[str, list[float]] = field(default_factory=dict)
    _seq: int = field(init=False)
    _descriptor: int = field(init=False)

    def __post_init__(self) -> None:
        path = self.folder / EVENTS
        raw = path.read_bytes() if path.is_file() else b""
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            self.io.truncate(path, whole)
        self._seq = raw.count(b"\n")
        self._begun = self.timer()
        self._descriptor = self.io.open_append(path)

    def close(self) -> None:
        os.close(self._descriptor)

    def follow(self, states: Mapping[str, TeamState], failures: Mapping[str, Failure], *, hears: bool = False) -> None:
        """Count these from now on; both are looked at whenever something is told. ``hears``: each team's outputs are
        listened to before the judge is asked."""
        self.states, self.failures, self.hears = states, failures, hears
        done = sum(state.final for state in states.values())
        self.tell("begun", f"{len(states)} teams" + (f", {done} of them done before" if done else ""))

    def started(self, task: Task, attempt: int) -> None:
        self._since[task.team, task.stage] = self.timer()
        self.tell("started", f"{task.team}: {task.stage}", task, attempt)

    def ended(self, task: Task, attempt: int, text: str) -> None:
        """``task`` did what it should; ``text`` says what came out."""
        since = self._since.pop((task.team, task.stage), None)
        if since is not None:
            self._took.setdefault(task.stage, []).append(self.timer() - since)
        self.tell("ended", f"{task.team}: {text}", task, attempt)

    def failed(self, task: Task, attempt: int, failure: Failure) -> None:
        self._since.pop((task.team, task.stage), None)
        text = f"{task.team}: {task.stage} failed on our side: {failure.message} [{failure.code}]"
        self.tell("failed", text, task, attempt)

    def tell(self, name: EventName, text: str, task: Task | None = None, attempt: int | None = None) -> None:
        """One event to the file and to the watcher. Raises MachineError (I_DISK)."""
        steps = [_steps(state, hears=self.hears) for state in self.states.values()]
        event = ProgressEvent(
            schema_version=SCHEMA_VERSION,
            seq=self._seq,
            at=datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            event=name,
            team=task.team if task else None,
            stage=task.stage if task else None,
            attempt=attempt,
            text=text,
            steps=sum(total for _, total in steps),
            steps_done=sum(done for done, _ in steps),
            teams=len(self.states),
            teams_done=sum(state.final for state in self.states.values()),
            faulty=sum(state.counted is not None and state.chosen is None for state in self.states.values()),
            failed=len(self.failures),
            elapsed_s=round(self.timer() - self._begun, 3),
            left_s=self._left_s(),
        )
        self._seq += 1
        self.io.append(self._descriptor, self.folder / EVENTS, jsonl([to_plain(event)]), flush=False)
        self.watcher.event(event)

    def _left_s(self) -> float | None:
        """What is left of each stage, at the mean of what it took so far, shared by those that work at once. A stage
        that none has ended in yet is taken to be like the others."""
        every = [seconds for stage in self._took.values() for seconds in stage]
        open_ = (state for name, state in self.states.items() if name not in self.failures)
        left = remaining(open_, hears=self.hears)
        if not any(left.values()):
            return 0.0
        if not every:
            return None
        now = self.timer()
        seconds = {}
        for stage, count in left.items():
            took = self._took.get(stage) or every
            mean = sum(took) / len(took)
            under_way = sum(min(now - at, mean) for (_, other), at in self._since.items() if other == stage)
            at_once = {"judge": self.judges, "run": 1 if self.hears else self.jobs}.get(stage, self.jobs)
            seconds[stage] = max(0.0, count * mean - under_way) / at_once
        # Stages overlap: the longest decides, and no more than two jobs' worth of tasks is ever under way.
        return round(max(*seconds.values(), sum(seconds.values()) / 2), 1)


def remaining(states: Iterable[TeamState], *, hears: bool = False) -> Counter[str]:
    """How many steps of each stage are left, if every hand-in is looked at."""
    left: Counter[str] = Counter()
    for state in states:
        if state.final or state.asked:
            continue
        left["judge"] += 1
        left["hear"] += hears and state.heard is None
        for each in state.attempts if state.counted is None else ():
            left["run"] += each.attempt.image is not None and each.ran is None
            left["prepare"] += each.outcome is None
    return left


def _steps(state: TeamState, *, hears: bool) -> tuple[int, int]:
    """Done, and all: a run and a check for each hand-in, the listening where there is any, and the team's judgement."""
    total = 1 + hears + sum(2 if each.attempt.image is not None else 1 for each in state.attempts)
    if state.final or state.asked:
        return total, total
    if state.counted is not None:
        return total - 1 - (hears and state.heard is None), total
    done = 0
    for each in state.attempts:
        both = 2 if each.attempt.image is not None else 1
        done += both if each.outcome is not None else int(each.ran is not None)
    return done, total
