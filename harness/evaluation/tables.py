"""Stored scores and ratings to a table: what `leaderboard`, `report` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.leaderboard import Unscored
from harness.documents.published import FlaggedItem, Table
from harness.documents.ratings import RatingsReport
from harness.errors import UsageError
from harness.evaluation.rating_files import check_ratings, cohort, rated_cohort
from harness.evaluation.score_files import Found, item_rows, item_scores, review_rows
from harness.ranking.final import Phase
from harness.ranking.ratings import rated_dimensions
from harness.ranking.table import leaderboard

# States that say nothing about the reply.
_ORDINARY = frozenset({"scored", "not_judged", "not_rated"})


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


def flagged_items(found: Sequence[Found], track: str) -> dict[str, tuple[FlaggedItem, ...]]:
    """Team to its replies that a person may want to look at: with a flag, or with a state other than scored and not
    judged. In the order of the items; with the quotations of the review.jsonl beside the report, where there is one.

    Raises UsageError (E_DOCUMENT), MachineError (E_SCORE).
    """
    flagged: dict[str, tuple[FlaggedItem, ...]] = {}
    for entry in found:
        rows = item_rows(entry) if entry.report.track == track else None
        replies: dict[tuple[str, str, str], tuple[dict[str, None], dict[str, None]]] = {}
        for row in rows or ():
            states, flags = replies.setdefault((row["task"], row["language"], row["dialogue_id"]), ({}, {}))
            states[row["state"]] = None
            flags.update(dict.fromkeys(row.get("flags", ())))
        quoted = review_rows(entry) if rows else {}
        flagged[entry.report.team] = tuple(
            FlaggedItem(*reply, tuple(states), tuple(flags), *quoted.get(reply, ("", {})))
            for reply, (states, flags) in replies.items()
            if flags or states.keys() - _ORDINARY
        )
    return flagged


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
