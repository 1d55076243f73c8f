"""`humdial verify`: everything that can be recomputed from what a run keeps, and the first difference.

In this order, each step standing on those before it: the pins and the spec, the blobs, the journal and the ledger, then
of each team what was handed in (as far as it is there), the requests, the verdicts, the known answers and the scores,
at last the table. Nothing in the run is changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import __version__
from harness.challenge.spec import Challenge
from harness.documents.codec import digest
from harness.documents.verification import Difference, VerificationReport
from harness.errors import HarnessError, Refused, UsageError
from harness.evaluation.differences import document_differences
from harness.evaluation.journal import Scan, find
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.pair_listening import read_speech
from harness.evaluation.publishing import NO_COHORT, TABLE, Renderers, refusals, table_of
from harness.evaluation.run_directory import BLOBS, JOURNAL, LEDGER, PINS
from harness.evaluation.run_files import strays
from harness.evaluation.standings import (
    ATTEMPT_FILES,
    MADE_BY,
    PUBLISHED,
    TeamState,
    blob_names,
    files_of,
    ledger_faults,
)
from harness.evaluation.stored_run import StoredRun, read_run, scoring_terms, unchanging
from harness.evaluation.teams_file import Team, read_teams
from harness.evaluation.verify_team import RunCheck, team_differences

SCHEMA_VERSION = 1


def verify_run(
    path: Path, renderers: Callable[[Challenge], Renderers], teams_file: Path | None = None
) -> VerificationReport:
    """Recompute the run at ``path``; with ``teams_file``, which must list what the run pins, from the hand-ins on.

    Raises UsageError (E_USAGE, E_SCHEMA_VER, E_TEAMS, E_PIN) and MachineError (E_LOCKED, I_DISK).
    """
    with unchanging(path):
        try:
            run = read_run(path)
        except Refused as error:
            return _unreadable(path, error)
        check = RunCheck(run, renderers(run.challenge), _listed(run, teams_file))
        difference = _first(check)
        made_by = [record.data for record in find(run.journal.records, MADE_BY)]
        return VerificationReport(
            schema_version=SCHEMA_VERSION,
            run=path.resolve().name,
            verified=difference is None,
            finished=check.finished,
            published=_published(check),
            difference=difference,
            checked={
                name: check.counts[name] for name in ("blobs", "records", "teams", "hand_ins", "verdicts", "items")
            },
            not_stored=tuple(check.not_stored),
            scoring=scoring_terms(run.pins, run.pins.challenge, run.pins.policy).fingerprint,
            made_by=tuple({key: str(value) for key, value in each.items() if key != "pins"} for each in made_by),
            attestation=None,
            harness_version=__version__,
        )


def _first(check: RunCheck) -> Difference | None:
    try:
        return next(_differences(check), None)
    except (Refused, UsageError) as error:
        return Difference(check.run.path.resolve().name, str(error))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # Every digest fits, but no humdial wrote this: somebody made the whole chain anew.
        return Difference(check.run.path.resolve().name, f"what the journal says makes no sense: {error!r}")


def _unreadable(path: Path, error: HarnessError) -> VerificationReport:
    difference = Difference(path.resolve().name, str(error))
    nothing = dict.fromkeys(("blobs", "records", "teams", "hand_ins", "verdicts", "items"), 0)
    return VerificationReport(
        SCHEMA_VERSION, path.resolve().name, False, False, False, difference, nothing, (), "", (), None, __version__
    )


def _listed(run: StoredRun, teams_file: Path | None) -> dict[str, Team]:
    if teams_file is None:
        return {}
    teams = read_teams(teams_file, run.challenge, run.pins.track, images=False)
    if [team.plain() for team in teams] != list(run.pins.teams):
        raise UsageError(
            f"{teams_file.name} does not list what the run was begun with",
            code="E_PIN",
            hint="pass the list of that run, or none",
        )
    return {team.name: team for team in teams}


def _published(check: RunCheck) -> bool:
    return any((check.run.path / name).exists() for name in check.renderers if name.startswith(TABLE))


def _differences(check: RunCheck) -> Iterator[Difference]:
    yield from _pin_differences(check.run)
    yield from _blob_differences(check)
    for name, scanned in ((JOURNAL, check.run.journal), (LEDGER, check.run.ledger)):
        yield from _tail_differences(name, scanned)
        check.counts["records"] += len(scanned.records)
    for name, state in check.run.states.items():
        yield from team_differences(check, state)
        check.counts["teams"] += 1
        yield from _file_differences(check, name, state)
    for stray in strays(check.run.path, check.run.states):
        yield Difference(stray, "a file that the journal does not know")
    yield from _users_differences(check)
    yield from _ledger_differences(check)
    yield from _table_differences(check)


def _pin_differences(run: StoredRun) -> Iterator[Difference]:
    made_by = find(run.journal.records, MADE_BY)
    pinned = made_by[0].data.get("pins") if made_by else None
    if run.journal.records and pinned != file_digest(run.path / PINS):
        yield Difference(PINS, f"{PINS} is not the one that the journal begins with", str(pinned),
                         file_digest(run.path / PINS))  # fmt: skip
    if digest(run.pins.judge_inputs) != run.pins.judge.fingerprint:
        yield Difference(f"{PINS}#/judge_inputs", "the judge's fingerprint is not that of its inputs",
                         run.pins.judge.fingerprint, digest(run.pins.judge_inputs))  # fmt: skip
    if run.challenge.digest != run.pins.challenge.digest or run.challenge.id != run.pins.challenge.id:
        yield Difference(f"{PINS}#/challenge", "the stored spec is not the pinned one", run.pins.challenge.digest,
                         run.challenge.digest)  # fmt: skip


def _blob_differences(check: RunCheck) -> Iterator[Difference]:
    run = check.run
    for path in sorted((run.path / BLOBS).glob("*/*")):
        check.counts["blobs"] += 1
        problem = run.blobs.problem(path.name)
        if problem is not None or run.blobs.path(path.name) != path:
            yield Difference(path.relative_to(run.path).as_posix(), f"a blob {problem or 'lies in the wrong folder'}")
    named = [run.pins.spec, run.pins.gold]
    for state in run.states.values():
        named += blob_names(state)
    for record in find(run.journal.records, PUBLISHED):
        named += record.data.values()
    for name in named:
        if run.blobs.problem(name) is not None:
            where = run.blobs.path(name).relative_to(run.path).as_posix()
            yield Difference(where, "a blob that the journal names is missing")


def _tail_differences(name: str, scanned: Scan) -> Iterator[Difference]:
    if scanned.torn:
        yield Difference(f"{name}:{len(scanned.records) + 1}", f"{name} ends in {len(scanned.torn)} bytes of no record")


def _file_differences(check: RunCheck, name: str, state: TeamState) -> Iterator[Difference]:
    for path, sha256 in files_of(state):
        if not state.final and Path(path).name in ATTEMPT_FILES:
            continue  # it may tell of another attempt still
        if not check.finished and not (check.run.path / path).exists():
            continue  # a crash may have come before it; resuming makes it
        yield from document_differences(check.run.path, path, check.run.blobs.get(sha256), "the journal")


def _users_differences(check: RunCheck) -> Iterator[Difference]:
    """All teams answered the same inputs: what was heard in those must be the same for all of Track 2."""
    first: dict[str, object] | None = None
    for state in check.run.states.values():
        if state.heard is None:
            continue
        speech = read_speech(check.run.blobs.get(state.heard["speech"]))
        users: dict[str, object] = {name: each.user for name, each in speech.items()}
        first = users if first is None else first
        if users != first:
            where = check.run.blobs.path(state.heard["speech"]).relative_to(check.run.path).as_posix()
            yield Difference(where, f"the inputs of {state.team.name} have other speech than those of other teams")


def _ledger_differences(check: RunCheck) -> Iterator[Difference]:
    run = check.run
    stored = [record.data for record in run.ledger.records]
    strange, lacking = ledger_faults(run.states, stored, run.challenge)
    for number in strange:
        what = "the ledger says what the journal does not"
        yield Difference(f"{LEDGER}:{number + 1}", what, json.dumps(stored[number]))
    for entry in lacking if check.finished else ():
        yield Difference(LEDGER, "the ledger lacks a hand-in that the journal knows", None, json.dumps(entry))


def _refusals(run: StoredRun) -> list[str]:
    return list(refusals(run.path, run.pins, run.blobs, run.states, run.ledger.records, run.challenge))


def _table_differences(check: RunCheck) -> Iterator[Difference]:
    run = check.run
    unfinished = [name for name, state in run.states.items() if not state.final]
    why = [f"{name} is unfinished" for name in unfinished] or _refusals(run)
    board = None
    try:
        board = None if why else table_of(run.path, run.challenge, run.pins.track, run.states)
    except Refused as error:
        if error.code != NO_COHORT:
            raise
        why = [str(error)]
    if why and _published(check):
        yield Difference("leaderboard", f"a table is there that may not be published: {why[0]}")
    if board is None:
        return
    published = find(run.journal.records, PUBLISHED)  # an earlier humdial wrote no such records
    kept = published[-1].data if published else {}
    for name, render in check.renderers.items():
        if name.startswith(TABLE):
            yield from document_differences(run.path, name, render(board), "the scores")
            if published and (name not in kept or run.blobs.get(kept[name]) != render(board)):
                yield Difference(JOURNAL, f"the journal knows another {name}, or none")
    for name, sha256 in kept.items():
        yield from document_differences(run.path, name, run.blobs.get(sha256), "the journal")
