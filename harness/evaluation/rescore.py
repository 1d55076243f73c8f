"""`humdial rescore`: scores and table again from what a run keeps. No team image, no judge, no GPU.

The run stays as it is: what comes out lies in a folder of its own, with a record of what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.challenge.spec import Challenge
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import Leaderboard
from harness.documents.report import read_report
from harness.documents.verification import RescoreRecord
from harness.errors import Refused, UsageError
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.publishing import Renderers, table_of
from harness.evaluation.rescoring import Rescored, rescore_team
from harness.evaluation.run_directory import PINS, TEAMS
from harness.evaluation.standings import ROWS, TeamState, attempt_files, score_key
from harness.evaluation.stored_run import StoredRun, read_run, scoring_terms, unchanging
from harness.evaluation.worker import code_digest

RECORD = "rescore.json"
SCHEMA_VERSION = 1
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Rescore:
    """Where it lies, what it was made from, the table, and which teams' scores are not those of the run."""

    out: Path
    record: RescoreRecord
    board: Leaderboard
    changed: tuple[str, ...]


def rescore_run(
    path: Path,
    renderers: Callable[[Challenge], Renderers],
    *,
    challenge: Challenge | None = None,
    policy: str | None = None,
    out: Path | None = None,
) -> Rescore:
    """Score the run at ``path`` again, under its own spec and policy or others; ``out`` is by default a folder in the
    run, named after the fingerprint.

    Raises Refused: E_NO_VERDICT when a verdict is not stored, E_RESCORE when the run is unfinished or its table may
    not be published, I_CORRUPT; UsageError: E_PIN for another judge, E_USAGE; MachineError: E_LOCKED, I_DISK.
    """
    with unchanging(path):
        run = read_run(path)
        spec, wanted = challenge or run.challenge, policy or run.pins.policy
        unfinished = [name for name, state in run.states.items() if not state.final]
        if unfinished:
            raise _refused(f"{', '.join(unfinished[:_NAMED])} is unfinished", "run the same `humdial evaluate` again")
        after = scoring_terms(run.pins, ChallengeRef(spec.id, spec.digest), wanted)
        record = RescoreRecord(
            schema_version=SCHEMA_VERSION,
            pins=file_digest(run.path / PINS),
            journal=f"sha256:{run.journal.head}",
            before=scoring_terms(run.pins, run.pins.challenge, run.pins.policy),
            after=after,
            harness_version=__version__,
            code=code_digest(),
        )
        made = {name: rescore_team(run, state, spec, wanted) for name, state in run.states.items()}
        _refuse_missing(made, wanted)
        target = out or path / f"rescored-{after.fingerprint.removeprefix('sha256:')[:12]}"
        _refuse_strangers(target, path)
        for name, rescored in made.items():
            _write_team(run, run.states[name], rescored, target / TEAMS / name)
        _refuse_canaries(target, made)
        board = table_of(target, spec, run.pins.track, run.states)
        for name, render in renderers(spec).items():
            write_atomic(target / name, render(board))
        write_atomic(target / RECORD, pretty_json(to_plain(record)))
        return Rescore(target, record, board, _changed(run, made))


def _refuse_missing(made: dict[str, Rescored], policy: str) -> None:
    lacking = {name: rescored.missing for name, rescored in made.items() if rescored.missing}
    if lacking:
        named = ", ".join(f"{count} of {name}" for name, count in list(lacking.items())[:_NAMED])
        raise Refused(
            f"{sum(lacking.values())} replies have no stored verdict for policy {policy} and this spec ({named})",
            code="E_NO_VERDICT",
            hint="evaluate with that policy and spec into a new folder: the judge is asked only for these",
        )


def _refuse_strangers(target: Path, path: Path) -> None:
    if target.resolve().is_relative_to((path / TEAMS).resolve()):
        raise UsageError(
            f"{target} is a place of the run's own files", code="E_USAGE", hint="pass a folder outside of teams/"
        )
    if target.is_dir() and any(target.iterdir()) and not (target / RECORD).is_file():
        raise UsageError(
            f"{target} holds other files", code="E_USAGE", hint="pass a new folder, or one that `humdial rescore` made"
        )


def _refuse_canaries(target: Path, made: dict[str, Rescored]) -> None:
    for name, rescored in made.items():
        if rescored.scored is None:
            continue
        report = read_report(target / TEAMS / name / "scores" / "report.json")
        if report.canaries is not None and not report.canaries.passed:
            raise _refused(
                f"the judge marked known-answer items wrongly when it judged {name}: {report.canaries.out[0]}",
                "evaluate anew with a judge that does not drift",
            )


def _write_team(run: StoredRun, state: TeamState, rescored: Rescored, folder: Path) -> None:
    """The scores, or why there are none, as in the run itself."""
    if rescored.scored is not None:
        for name, data in rescored.scored.files.items():
            write_atomic(folder / "scores" / name, data)
        return
    shown = state.shown
    for name, sha256 in () if shown is None else attempt_files(shown):
        write_atomic(folder / name, run.blobs.get(sha256))


def _changed(run: StoredRun, made: dict[str, Rescored]) -> tuple[str, ...]:
    """The teams with another score in an item."""
    found = []
    for name, rescored in made.items():
        stored = run.states[name].scored
        names = [stored[key] for key in map(score_key, ROWS) if key in stored] if stored is not None else []
        before = run.blobs.get(names[0]) if names else None
        if before != (None if rescored.scored is None else rescored.scored.rows):
            found.append(name)
    return tuple(found)


def _refused(why: str, hint: str) -> Refused:
    return Refused(f"the run is not scored again: {why}", code="E_RESCORE", hint=hint)
