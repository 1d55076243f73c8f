"""Ratings from their files: read, unblinded, held against the teams and dialogues that are known, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.spec import Challenge, Track
from harness.documents.codec import read_document
from harness.documents.codes import finding
from harness.documents.finding import Finding, Findings
from harness.documents.items import Scores, scores_by_judge
from harness.documents.leaderboard import Unscored
from harness.documents.rating_key import RatingKey
from harness.documents.ratings import Disagreement, Rating, RatingLine, RatingsReport, parse_ratings
from harness.documents.report import ScoreReport
from harness.errors import MachineError, UsageError
from harness.evaluation.score_files import Found, item_rows
from harness.ranking.agreement import agreement, disagreement
from harness.ranking.ratings import (
    ItemStates,
    Known,
    accept,
    coverage,
    item_states,
    rated_dimensions,
    with_ratings,
)
from harness.submission import read_references


@dataclass(frozen=True, slots=True)
class Cohort:
    """The teams of one track as their reports and items have them."""

    reports: tuple[ScoreReport, ...] = ()
    unscored: tuple[str, ...] = ()
    states: Mapping[str, ItemStates] | None = None
    scores: Mapping[str, Scores] | None = None


def cohort(found: Sequence[Found], unscored: Sequence[Unscored], track: str) -> Cohort:
    """Reads the items beside the reports of one track. Raises UsageError (E_DOCUMENT), MachineError (E_SCORE)."""
    states: dict[str, ItemStates] = {}
    scores: dict[str, Scores] = {}
    mine = [entry for entry in found if entry.report.track == track]
    for entry in mine:
        rows = item_rows(entry)
        if rows is not None:
            states[entry.report.team] = item_states(rows)
            scores[entry.report.team] = scores_by_judge(rows, entry.report.team)
    return Cohort(tuple(entry.report for entry in mine), tuple(team.team for team in unscored), states, scores)


@dataclass(frozen=True, slots=True)
class CheckedRatings:
    ratings: tuple[Rating, ...]
    report: RatingsReport


def rated_track(challenge: Challenge, wanted: str | None) -> Track:
    """The track that people rate: ``wanted``, or the first of the spec that has such dimensions.

    Raises UsageError (E_USAGE) when there is none."""
    tracks = [t for t in challenge.tracks.values() if wanted in (None, t.id) and rated_dimensions(t, challenge)]
    if not tracks:
        raise UsageError(
            f"{challenge.id} has no track {wanted or ''} with dimensions that people rate".replace("  ", " "),
            code="E_USAGE",
            hint="the spec names them under tracks.*.phases.*.human",
        )
    return tracks[0]


def check_ratings(
    files: Sequence[Path],
    challenge: Challenge,
    track: Track,
    *,
    teams: Cohort | None = None,
    references: Path | None = None,
    key: Path | None = None,
    agree: bool = True,
) -> CheckedRatings:
    """Everything that is wrong with the ratings in one pass, how far raters agree, and where the judge parts from
    them. ``key`` maps the items of the rating page back to teams and dialogues; without
    ``agree`` the raters' agreement, which needs an extra package, is left out.

    Raises UsageError (E_DOCUMENT) for a key that is none, MachineError (I_DISK) for a file that cannot be read.
    """
    lines: list[RatingLine] = []
    findings: list[Finding] = []
    for file in files:
        parsed, problems = parse_ratings(_bytes(file), file.name)
        lines += parsed
        findings += problems
    if key is not None:
        lines, problems = unblind(lines, read_document(RatingKey, key))
        findings += problems
    ratings, problems = accept(lines, _known(challenge, teams, references), challenge, track)
    findings += problems
    apart: tuple[Disagreement, ...] = ()
    if teams is not None:
        findings += coverage(ratings, [report.team for report in teams.reports], teams.states or {}, challenge, track)
        apart, problems = disagreement(ratings, teams.scores or {})
        findings += problems
    kept = Findings()
    kept.extend(findings)
    shown, truncated = kept.result()
    report = RatingsReport(
        valid=not kept.has_errors,
        findings=shown,
        truncated=truncated,
        ratings=len(ratings),
        raters=len({rating.rater_id for rating in ratings}),
        teams=len({rating.team for rating in ratings}),
        agreement=agreement(ratings, challenge) if agree else (),
        disagreement=apart,
    )
    return CheckedRatings(tuple(ratings), report)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MachineError(
            f"{file} cannot be read: {error.strerror}", code="I_DISK", hint="check the path and its permissions"
        ) from error


def unblind(lines: Iterable[RatingLine], key: RatingKey) -> tuple[list[RatingLine], list[Finding]]:
    """Lines of a page's export with the real team, language and dialogue."""
    found: list[RatingLine] = []
    findings: list[Finding] = []
    for line in lines:
        item = key.items.get(line.team)
        if item is None:
            findings.append(finding("E_RATING_KEY", file=line.file, line=line.line, item=repr(line.team[:60])))
        else:
            found.append(replace(line, team=item.team, language=item.language, dialogue_id=item.dialogue_id))
    return found, findings


def _known(challenge: Challenge, teams: Cohort | None, references: Path | None) -> Known:
    names = None
    dialogues: dict[tuple[str, str], set[str]] = {}
    if teams is not None:
        names = frozenset(report.team for report in teams.reports) | set(teams.unscored)
        for states in (teams.states or {}).values():
            for (language, task, _), items in states.items():
                dialogues.setdefault((language, task), set()).update(items)
    if references is not None:
        for dialogue in read_references(references, challenge, need_labels=False).dialogues:
            dialogues.setdefault((dialogue.language, dialogue.task), set()).add(dialogue.dialogue_id)
    return Known(names, {key: frozenset(found) for key, found in dialogues.items()} if dialogues else None)


def rated_cohort(
    teams: Cohort, ratings: Sequence[Rating], challenge: Challenge, track: Track
) -> tuple[list[ScoreReport], dict[str, Scores]]:
    """The reports with the raters' entries, and the teams' scores with the raters' among them."""
    reports: list[ScoreReport] = []
    scores: dict[str, Scores] = dict(teams.scores or {})
    by_team: dict[str, list[Rating]] = {}
    for rating in ratings:
        by_team.setdefault(rating.team, []).append(rating)
    for report in teams.reports:
        states = (teams.states or {}).get(report.team)
        changed, given = with_ratings(report, by_team.get(report.team, []), states, challenge, track)
        reports.append(changed)
        if report.team in scores:
            scores[report.team] = {**scores[report.team], **given}
    return reports, scores
