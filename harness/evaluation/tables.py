"""Stored scores and ratings to a table: what `leaderboard`, `report` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Leaderboard, Unscored
from harness.documents.ratings import RatingsReport
from harness.errors import UsageError
from harness.evaluation.rating_files import check_ratings, cohort, rated_cohort
from harness.evaluation.score_files import Found, item_scores
from harness.ranking.final import Phase
from harness.ranking.ratings import rated_dimensions
from harness.ranking.table import leaderboard


@dataclass(frozen=True, slots=True)
class Table:
    """One track's table, and what a check of the ratings in it said (None: it has none)."""

    board: Leaderboard
    ratings: RatingsReport | None = None


def tabulate(
    found: Sequence[Found],
    unscored: Sequence[Unscored],
    challenge: Challenge,
    track: str,
    phase: Phase = "auto",
    *,
    ratings: Path | None = None,
    exclude_late: bool = False,
    intervals: bool = True,
    agree: bool = False,
) -> Table:
    """One track's table from the reports that `find_reports` found; ``ratings`` count where people rate the track;
    with ``agree`` the raters' agreement is computed too.

    Raises UsageError for ratings with an error (the code of the first), and what `leaderboard` raises.
    """
    reports = [entry.report for entry in found if entry.report.track == track]
    rated = ratings is not None and track in challenge.tracks and rated_dimensions(challenge.tracks[track], challenge)
    if ratings is None or not rated:
        items = item_scores(found, track) if intervals else None
        board = leaderboard(reports, challenge, track, phase, unscored=unscored, exclude_late=exclude_late, items=items)
        return Table(board)
    teams = cohort(found, unscored, track)
    checked = check_ratings([ratings], challenge, challenge.tracks[track], teams=teams, agree=agree)
    _refuse_errors(checked.report, ratings)
    reports, items = rated_cohort(teams, checked.ratings, challenge, challenge.tracks[track])
    board = leaderboard(
        reports,
        challenge,
        track,
        phase,
        unscored=unscored,
        exclude_late=exclude_late,
        items=items if intervals else None,
    )
    return Table(board, checked.report)


def _refuse_errors(report: RatingsReport, file: Path) -> None:
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if errors:
        first = errors[0]
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise UsageError(
            f"{file} has {len(errors)} error(s): line {first.line}: {first.message}{more}",
            code=first.code,
            hint=f"`humdial ratings check {file.name} --scores …` lists them all",
        )
