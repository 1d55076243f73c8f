"""From a finished run to its table, or why there is none. For the run itself, and whenever it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Leaderboard
from harness.documents.report import read_report
from harness.errors import Refused, UsageError
from harness.evaluation.blobs import Blobs
from harness.evaluation.journal import Record
from harness.evaluation.run_directory import LEDGER, TEAMS, Pins
from harness.evaluation.run_files import strays
from harness.evaluation.score_files import reports_of
from harness.evaluation.standings import TeamState, ledger_faults
from harness.evaluation.stored_pairs import reported_fingerprint
from harness.evaluation.tables import tabulate

NO_COHORT = "E_COHORT"
# A file's name to what makes its bytes; the caller brings them, since renderers live in another room. Of a TABLE the
# bytes are the same with every humdial of this schema; of a page they may differ.
TABLE = "leaderboard."
Renderers = Mapping[str, Callable[[Leaderboard], bytes]]


def table_of(run: Path, challenge: Challenge, track: str, teams: Iterable[str]) -> Leaderboard:
    """The table of ``teams`` from the files for people below ``run``. Raises Refused (E_COHORT) when there can be none
    of these: a full-duplex track without a baseline to be held against."""
    found, unscored = reports_of(run / TEAMS, sorted(teams))
    try:
        return tabulate(found, unscored, challenge, track).board
    except UsageError as error:
        if error.code != NO_COHORT:
            raise
        raise Refused(str(error), code=NO_COHORT, hint=error.hint) from error


def refusals(
    run: Path,
    pins: Pins,
    blobs: Blobs,
    states: Mapping[str, TeamState],
    ledger: Sequence[Record],
    challenge: Challenge,
) -> Iterator[str]:
    """Why the table may not be published although the work is done. Reading the blobs checks them.

    Raises Refused (I_CORRUPT).
    """
    stray = next(strays(run, states), None)
    if stray is not None:
        yield f"{stray} is none of this run's files: move it away"
    strange, lacking = ledger_faults(states, [record.data for record in ledger], challenge)
    if strange or lacking:
        yield f"{LEDGER} does not say what the journal says: restore it from a copy"
    if all(state.final for state in states.values()) and not any(state.scored for state in states.values()):
        yield "no team has a score"
    for name, state in states.items():
        heard = [] if state.heard is None else [state.heard]
        for entry in (*state.judged, *heard, *(each.prepared for each in state.attempts if each.prepared)):
            for key in ("verdicts", "canaries", "submission", "speech", "words", "requests"):
                if entry.get(key):
                    blobs.get(entry[key])
        if state.scored is None:
            continue
        report = read_report(run / TEAMS / name / "scores" / "report.json")
        if not report.complete:
            yield f"{name}: judgements failed and are missing; the same command asks for them again"
        if report.judge is None or report.judge.fingerprint != reported_fingerprint(pins.judge, pins.hearing):
            yield f"{name}: judged by another judge than the run's"
        if report.canaries is not None and not report.canaries.passed:
            yield f"{name}: the judge marked known-answer items wrongly: {'; '.join(report.canaries.out[:2])}"
