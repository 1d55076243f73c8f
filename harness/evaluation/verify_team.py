"""What `verify` recomputes of one team: the hand-in where it is there, the requests, the verdicts, the scores."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.documents.codec import to_plain
from harness.documents.verification import Difference
from harness.evaluation.answering import reading_of
from harness.evaluation.differences import first_difference
from harness.evaluation.pair_hearing import heard_again, prepare_pairs
from harness.evaluation.preparing import Terms, prepare, read_requests
from harness.evaluation.publishing import Renderers
from harness.evaluation.rescoring import canaries_of, rescore_team
from harness.evaluation.run_directory import JOURNAL, TEAMS
from harness.evaluation.run_files import check_outputs
from harness.evaluation.standings import AttemptState, TeamState, choose, score_key
from harness.evaluation.stored_run import StoredRun
from harness.evaluation.stored_score import stored_gold, terms_of
from harness.evaluation.tasks import Prepared, PrepareTask
from harness.evaluation.teams_file import Team
from harness.judge import read_verdicts
from harness.submission import PairInputs


@dataclass(slots=True)
class RunCheck:
    """One check under way. ``handed_in`` has the teams of a list whose hand-ins are there, by name."""

    run: StoredRun
    renderers: Renderers
    handed_in: Mapping[str, Team]
    counts: Counter[str] = field(default_factory=Counter)
    not_stored: list[str] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return all(state.final for state in self.run.states.values())


def team_differences(check: RunCheck, state: TeamState) -> Iterator[Difference]:
    run, name = check.run, state.team.name
    for each in state.attempts:
        if each.prepared is not None:
            yield from _hand_in_differences(check, state, each)
    counted = choose(state, run.challenge)
    if state.counted is not None and state.counted != counted:
        yield Difference(f"{JOURNAL} ({name})", f"the hand-in of {name} that counts is another", str(state.counted),
                         str(counted))  # fmt: skip
    chosen = state.chosen
    if chosen is None or chosen.prepared is None:
        return
    if run.pins.hearing is not None and not (state.heard or state.judged or state.scored):
        return  # nobody has listened yet
    asked = state.requests(chosen)
    if asked is None:
        yield Difference(f"{JOURNAL} ({name})", f"what the judge was asked about {name} is not there")
        return
    again = rescore_team(run, state, run.challenge, run.pins.policy)
    yield from _same_blob(run, asked, again.requests, f"the hand-in of {name}")
    yield from _verdict_differences(check, state, asked)
    if state.scored is not None and again.scored is not None:
        for file, made in again.scored.files.items():
            yield from _same_blob(run, state.scored[score_key(file)], made, f"{name}'s hand-in and verdicts")
        check.counts["items"] += again.scored.rows.count(b"\n")


def _same_blob(run: StoredRun, sha256: str, expected: bytes, what: str) -> Iterator[Difference]:
    stored = run.blobs.get(sha256)
    if stored != expected:
        kind = "jsonl" if b"\n" in stored.strip() and not stored.startswith(b"{\n") else "json"
        found = first_difference(f"{sha256[:12]}.{kind}", stored, expected, what)
        where = run.blobs.path(sha256).relative_to(run.path).as_posix() + found.where.partition(f".{kind}")[2]
        yield Difference(where, f"the blob is not what comes from {what}", found.stored, found.recomputed)


def _hand_in_differences(check: RunCheck, state: TeamState, each: AttemptState) -> Iterator[Difference]:
    """From the outputs of an image, which the run keeps, or from a hand-in that was given."""
    run, name, number = check.run, state.team.name, each.attempt.number
    listed = check.handed_in.get(name)
    collected = each.attempt.image is not None
    source = run.path / TEAMS / name / ("outputs" if len(state.attempts) == 1 else f"outputs-{number}")
    if not collected:
        given = listed.attempts[number - 1].submission if listed else None
        if given is None:
            check.not_stored.append(name if len(state.attempts) == 1 else f"{name} ({number})")
            return
        source = given
    prepared = each.prepared or {}
    if collected and each.ran is not None:
        check_outputs(name, source, run.blobs.get(each.ran["record"]))
    heard = state.heard if state.chosen is each else None
    with tempfile.TemporaryDirectory(prefix="humdial-verify-") as work:
        again, speech = _prepared(run, PrepareTask(name, source, collected, Path(work)), heard)
    check.counts["hand_ins"] += 1
    if (again.source, again.valid) != (prepared["source"], prepared["valid"]):
        yield Difference(f"{JOURNAL} ({name})", f"what {name} handed in is not what was checked",
                         f"{prepared['source']} valid: {prepared['valid']}",
                         f"{again.source} valid: {again.valid}")  # fmt: skip
    for key, made in (("submission", again.submission), ("requests", again.requests)):
        if made is not None:
            yield from _same_blob(run, prepared[key], made, f"the files of {name}")
    if heard is not None and speech is not None:
        yield from _same_blob(run, heard["speech"], speech, f"the files of {name}")


def _prepared(run: StoredRun, task: PrepareTask, heard: Mapping[str, Any] | None) -> tuple[Prepared, bytes | None]:
    """The check of a hand-in once more, against the stored references, and the speech in its outputs when they were
    ``heard``."""
    gold, pins = stored_gold(run.pins, run.blobs), run.pins
    if isinstance(gold, PairInputs):
        asking = terms_of(pins, run.challenge, pins.policy, pins.judge).asking
        if heard is not None:
            return heard_again(task, gold, asking, run.blobs.get(heard["speech"]))
        return prepare_pairs(task, gold, asking), None
    terms = Terms(pins.track, pins.policy, pins.judge.profile, pins.judge.fingerprint, pins.gold_layout)
    return prepare(task.source, task.team, gold, run.challenge, terms, task.work, collected=task.collected), None


def _verdict_differences(check: RunCheck, state: TeamState, blob: str) -> Iterator[Difference]:
    run, name = check.run, state.team.name
    requests = read_requests(run.blobs.get(blob)).values()
    reading = reading_of(run.challenge, run.pins.track, run.pins.policy)
    free = reading == "published" and "decoding" in run.challenge.judges[run.pins.judge.profile].settings
    asked = {(request.item, request.sample): request for request in requests}
    for entry in state.judged:
        where = run.blobs.path(entry["verdicts"]).relative_to(run.path).as_posix()
        raw = run.blobs.get(entry["verdicts"])
        for number, line in enumerate(raw.splitlines(), start=1):
            plain = json.loads(line)
            place = (plain["item"], plain["sample"])
            if place not in asked:
                yield Difference(f"{where}:{number}", f"a verdict of {name} is about nothing that was asked")
            elif plain["state"] == "scored" and not free:
                again = read_verdicts(line, [asked[place]], run.challenge)[place]
                if again.state != "scored":
                    yield Difference(f"{where}:{number}", f"a verdict of {name} is none: {again.reasons['failed']}")
            check.counts["verdicts"] += 1
        stored = json.loads(run.blobs.get(entry["canaries"]))["check"]
    if state.judged:
        again_check = to_plain(canaries_of(run, state, run.challenge))
        if again_check != stored:
            yield Difference(f"{JOURNAL} ({name})", "the known-answer items come out otherwise", str(stored),
                             str(again_check))  # fmt: skip
