"""From a finished run to its table, or why there is none. For the run itself, and whenever it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Leaderboard
from harness.documents.report import read_report
from harness.evaluation.blobs import Blobs
from harness.evaluation.run_directory import TEAMS, Pins
from harness.evaluation.score_files import find_reports
from harness.evaluation.standings import TeamState
from harness.evaluation.tables import tabulate

# File ending to what makes the bytes; the caller brings them, since renderers live in another room.
Renderers = Mapping[str, Callable[[Leaderboard], bytes]]


def table_of(run: Path, challenge: Challenge, track: str) -> Leaderboard:
    """The table from the files for people below ``run``."""
    found, unscored = find_reports([run / TEAMS])
    return tabulate(found, unscored, challenge, track).board


def refusals(run: Path, pins: Pins, blobs: Blobs, states: Mapping[str, TeamState]) -> Iterator[str]:
    """Why the table may not be published although the work is done. Reading the blobs checks them.

    Raises Refused (I_CORRUPT).
    """
    if all(state.final for state in states.values()) and not any(state.scored for state in states.values()):
        yield "no team has a score"
    for name, state in states.items():
        for entry in (*state.judged, *(each.prepared for each in state.attempts if each.prepared)):
            for key in ("verdicts", "canaries", "submission", "requests"):
                if entry.get(key):
                    blobs.get(entry[key])
        if state.scored is None:
            continue
        report = read_report(run / TEAMS / name / "scores" / "report.json")
        if not report.complete:
            yield f"{name}: judgements failed and are missing"
        if report.judge is None or report.judge.fingerprint != pins.judge.fingerprint:
            yield f"{name}: judged by another judge than the run's"
        if report.canaries is not None and not report.canaries.passed:
            yield f"{name}: the judge marked known-answer items wrongly: {'; '.join(report.canaries.out[:2])}"
