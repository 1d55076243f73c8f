"""Many reports to one table. A pure function: the order in which reports are given changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

from harness.challenge.spec import Challenge, Track
from harness.documents.codec import digest, to_plain
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import INCOMPLETE, ROW_KEYS, Behind, Leaderboard, Row, Unscored
from harness.documents.report import ScoreReport
from harness.errors import UsageError
from harness.ranking.final import Phase, Standing, standing
from harness.ranking.rounding import half_up

T = TypeVar("T")


def leaderboard(
    reports: Sequence[ScoreReport],
    challenge: Challenge,
    track: str,
    phase: Phase = "auto",
    *,
    unscored: Sequence[Unscored] = (),
    exclude_late: bool = False,
) -> Leaderboard:
    """One track's table in one phase.

    Ranks follow the exact finals; equal finals share a rank (1, 1, 3) and stand in the order of their team ids. Late
    rows stand where they fall and have no rank. Below: reports that have no final, then teams without a report.

    Raises UsageError when the reports do not belong in one table (E_MIXED), name a team twice (E_TEAM_DUP) or there
    is nothing to tabulate (E_USAGE), MachineError (E_SCORE) for a stored score that is no number.
    """
    spec = _track(challenge, track)
    if exclude_late:
        reports = [report for report in reports if not report.late]
        unscored = [team for team in unscored if not team.late]
    if not reports:
        raise UsageError(
            f"there is no score report of {track} to tabulate", code="E_USAGE", hint="pass report.json files or folders"
        )
    _refuse_twins([report.team for report in reports] + [team.team for team in unscored])
    reports = sorted(reports, key=lambda report: report.team)
    unscored = sorted(unscored, key=lambda team: team.team)
    _refuse_mixture(reports, challenge, track)
    placed = [(report, _publishable(report, challenge, spec, phase)) for report in reports]
    first = reports[0]
    return Leaderboard(
        schema_version=1,
        track=track,
        phase=phase,
        policy=first.policy,
        challenge=first.challenge,
        judge=first.judge,
        official=_official(placed, phase),
        rows=(*_rows(placed, challenge, spec, phase), *(_unscored_row(team, spec) for team in unscored)),
        inputs_sha256=_inputs(reports, unscored, track, phase),
    )


def _track(challenge: Challenge, track: str) -> Track:
    if track not in challenge.tracks:
        raise UsageError(
            f"{challenge.id} has no track {track!r}", code="E_USAGE", hint=f"it has {', '.join(challenge.tracks)}"
        )
    clash = ROW_KEYS & set(challenge.languages)
    if clash:
        raise UsageError(
            f"a language cannot be called {sorted(clash)[0]!r}: the table has a key of that name",
            code="E_CONFIG",
            hint="rename the language in the challenge spec",
        )
    return challenge.tracks[track]


def _refuse_twins(teams: Iterable[str]) -> None:
    twice = sorted(team for team, count in Counter(teams).items() if count > 1)
    if twice:
        raise UsageError(
            f"{', '.join(twice)} stands twice among the inputs",
            code="E_TEAM_DUP",
            hint="pass one report a team: the attempt that counts",
        )


def _refuse_mixture(reports: Sequence[ScoreReport], challenge: Challenge, track: str) -> None:
    _one(reports, "tracks", lambda report: report.track)
    _one(reports, "policies", lambda report: report.policy)
    _one(reports, "challenge specs", lambda report: f"{report.challenge.id} {report.challenge.digest}")
    _one(reports, "judges", lambda report: to_plain(report.judge))
    first = reports[0]
    if first.track != track:
        raise UsageError(f"the reports are of {first.track}, not of {track}", code="E_MIXED", hint="pass --track")
    if first.challenge != ChallengeRef(challenge.id, challenge.digest):
        raise UsageError(
            f"the reports were made with {first.challenge.id} {first.challenge.digest}, "
            f"this is {challenge.id} {challenge.digest}",
            code="E_MIXED",
            hint="pass the spec they were made with to --challenge, or score again",
        )


def _one(reports: Sequence[ScoreReport], what: str, key: Callable[[ScoreReport], T]) -> T:
    first = key(reports[0])
    other = next((report for report in reports if key(report) != first), None)
    if other is not None:
        raise UsageError(
            f"{reports[0].team} and {other.team} were scored with different {what}: one table cannot hold both",
            code="E_MIXED",
            hint="score one of them again with the other's, or make two tables",
        )
    return first


def _publishable(report: ScoreReport, challenge: Challenge, track: Track, phase: Phase) -> Standing:
    """The report's standing; an incomplete report has its means, but no finals."""
    found = standing(report, challenge, track, phase)
    if report.complete:
        return found
    return Standing(found.means, dict.fromkeys(found.languages), None, found.missing_weight)


def _official(placed: Sequence[tuple[ScoreReport, Standing]], phase: Phase) -> bool:
    judge = placed[0][0].judge
    return (
        phase == "final"
        and judge is not None
        and judge.official
        and all(report.complete and place.final is not None for report, place in placed)
    )


def _rows(
    placed: Sequence[tuple[ScoreReport, Standing]], challenge: Challenge, track: Track, phase: Phase
) -> Iterable[Row]:
    finals = [(place.final, report, place) for report, place in placed if place.final is not None]
    finals.sort(key=lambda entry: (-entry[0], entry[1].team))
    ranked = [final for final, report, _ in finals if not report.late]
    first: dict[Fraction, int] = {}
    for number, final in enumerate(ranked, start=1):
        first.setdefault(final, number)
    for final, report, place in finals:
        yield _row(report, place, challenge, track, phase, rank=None if report.late else first[final])
    for report, place in placed:
        if place.final is None:
            yield _row(report, place, challenge, track, phase)


def _row(
    report: ScoreReport, place: Standing, challenge: Challenge, track: Track, phase: Phase, *, rank: int | None = None
) -> Row:
    columns = _columns(place, challenge, track)
    exact = {"final": place.final, **place.languages, **columns}
    return Row(
        rank=rank,
        team=report.team,
        display_name=report.display_name,
        system=report.system,
        late=report.late,
        baseline=report.baseline,
        final=_float(place.final),
        missing_weight={name: float(weight) for name, weight in place.missing_weight.items()},
        display={name: half_up(value, track.decimals) for name, value in exact.items() if value is not None},
        languages={language: _float(value) for language, value in place.languages.items()},
        columns={name: _float(value) for name, value in columns.items()},
        notes=tuple(_notes(report, place, phase)),
        behind=_behind(report, place, track, phase),
    )


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _columns(place: Standing, challenge: Challenge, track: Track) -> dict[str, Fraction | None]:
    """Every weighted dimension's mean, and the average of each task whose dimensions all count (None while one of
    them has no mean)."""
    columns: dict[str, Fraction | None] = {}
    for language in track.language_weights:
        for task in challenge.tasks_of(track.id):
            cells = [(language, task.id, name) for name in task.dimension_ids()]
            present = [cell for cell in cells if cell in place.means]
            for cell in present:
                columns[".".join(cell)] = place.means[cell]
            if cells and present == cells:
                known = [mean for cell in cells if (mean := place.means[cell]) is not None]
                whole = len(known) == len(cells)
                columns[f"{language}.{task.id}.avg"] = sum(known, Fraction(0)) / len(known) if whole else None
    return columns


def _behind(report: ScoreReport, place: Standing, track: Track, phase: Phase) -> dict[str, Behind]:
    human = track.human.get(phase, ())
    entries = {(e.language, e.task, e.dimension, e.source == "human"): e for e in report.dimensions}
    found = {}
    for language, task, name in place.means:
        entry = entries.get((language, task, name, f"{task}.{name}" in human or task in human))
        if entry is not None:
            found[f"{language}.{task}.{name}"] = Behind(entry.n, dict(entry.counts))
    return found


def _notes(report: ScoreReport, place: Standing, phase: Phase) -> Iterable[str]:
    if report.late:
        yield "late: scored, not ranked"
    if report.baseline:
        yield "baseline"
    if not report.complete:
        failed = sum(entry.counts.get("judge_failed", 0) for entry in report.dimensions)
        yield f"{INCOMPLETE}: {failed} judgement(s) failed and must be repeated"
    if place.missing_weight:
        named = ", ".join(place.missing_weight)
        yield f"no final score, not scored: {named}" if phase == "final" else f"provisional, not judged: {named}"


def _unscored_row(team: Unscored, track: Track) -> Row:
    return Row(
        rank=None,
        team=team.team,
        display_name=team.display_name or team.team,
        system=team.system,
        late=team.late,
        baseline=team.baseline,
        final=None,
        languages=dict.fromkeys(track.language_weights),
        notes=(team.reason,),
    )


def _inputs(reports: Sequence[ScoreReport], unscored: Sequence[Unscored], track: str, phase: Phase) -> str:
    plain = {
        "track": track,
        "phase": phase,
        "reports": [to_plain(report) for report in reports],
        "unscored": [to_plain(team) for team in unscored],
    }
    return digest(plain).removeprefix("sha256:")
