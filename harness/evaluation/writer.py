"""What comes back from tasks, written down: blobs first, then the record that speaks of them, then files for people."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge
from harness.errors import UsageError
from harness.evaluation.preparing import changed, read_requests
from harness.evaluation.progress import Progress
from harness.evaluation.run_directory import RunDirectory
from harness.evaluation.run_files import remove
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
    ledger_entries,
    score_key,
)
from harness.evaluation.stored_score import Gold, ScoreTerms, score_stored, stored_gold, terms_of, verdicts_of
from harness.evaluation.tasks import Failure, Heard, Judged, Prepared, Ran, Result, Task

# How long a team waits before what failed on our side is tried again: an engine that is being restarted needs a moment.
_PAUSES_S = (1.0, 6.0)


@dataclass(slots=True)
class Writer:
    """The one hand that writes the journal of ``run``. ``failures``: teams that our side could not bring further, and
    why; ``resting``: until when a team waits before it is tried again; ``tries`` counts failures of its stages."""

    run: RunDirectory
    challenge: Challenge
    progress: Progress
    states: dict[str, TeamState]
    failures: dict[str, Failure] = field(default_factory=dict)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)
    resting: dict[str, float] = field(default_factory=dict)
    _gold: Gold = field(init=False)

    def __post_init__(self) -> None:
        self._gold = stored_gold(self.run.pins, self.run.blobs)

    @property
    def terms(self) -> ScoreTerms:
        pins = self.run.pins
        return terms_of(pins, self.challenge, pins.policy, pins.judge)

    @property
    def hears(self) -> bool:
        """Whether the track is a full-duplex one."""
        return self.run.pins.hearing is not None

    def take(self, task: Task, attempt: int, result: Result) -> None:
        """What ``task`` came to. Raises UsageError (E_PIN), Refused (I_CORRUPT), MachineError (I_DISK)."""
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
        target = self.outputs(task.team, attempt)
        if produced.is_dir():
            self.run.io.flush(produced)
            remove(target)
            self.run.io.move(produced, target)
        if result.log:
            only = len(self.states[task.team].attempts) == 1
            self.run.place(self.run.team(task.team) / f"container{'' if only else f'-{attempt}'}.log", result.log)
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

    def score(self, state: TeamState) -> None:
        """The team's scores, from what is stored."""
        chosen, blobs = state.chosen, self.run.blobs
        assert chosen is not None and state.counted is not None
        verdicts, canaries = verdicts_of(state, blobs)
        requests, late = read_requests(blobs.get(state.requests(chosen) or "")), bool(state.counted["late"])
        scored = score_stored(self._gold, self.terms, state, chosen, requests, verdicts, canaries, blobs, late=late)
        entry = {"team": state.team.name, **{score_key(name): blobs.put(raw) for name, raw in scored.files.items()}}
        self._record((SCORED, {**entry, "complete": scored.complete}))
        state.asked = False
        if not scored.complete:
            self.failures[state.team.name] = Failure(
                "I_JUDGE", "some replies have no verdict", "run the same command again", True
            )
        remove(self.prepared_in(state, chosen))

    def prepared_in(self, state: TeamState, chosen: AttemptState) -> Path:
        """Where what the judge needs of the hand-in that counts is made."""
        if self.hears:
            return self.run.work(f"hear-{state.team.name}")
        return self.run.work(f"prepare-{state.team.name}-{chosen.attempt.number}")

    def outputs(self, name: str, number: int) -> Path:
        """Where an attempt's outputs lie; the only attempt's are `outputs`, for people to find."""
        only = len(self.states[name].attempts) == 1
        return self.run.team(name) / ("outputs" if only else f"outputs-{number}")

    def count(self, state: TeamState) -> None:
        """Which attempt of the team counts, now that all that decides it is known."""
        self._record((COUNTED, choose(state, self.challenge) or {}))
        self.keep_ledger(state)

    def keep_ledger(self, state: TeamState) -> None:
        """Enter what the ledger does not have of the team's hand-ins yet."""
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
