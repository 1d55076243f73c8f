"""Many reports to one table. A pure function: the order in which reports are given changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from harness.challenge.spec import Challenge, Track, TrackKind
from harness.documents.codec import digest, to_plain
from harness.documents.items import Scores
from harness.documents.leaderboard import INCOMPLETE, Leaderboard, Row, Unscored
from harness.documents.report import MOVED, ScoreReport
from harness.errors import UsageError
from harness.ranking.admission import known_track, refuse_drifted, refuse_mixture, refuse_twins
from harness.ranking.dialogue import place_dialogues
from harness.ranking.duplex import place_duplex
from harness.ranking.final import Phase
from harness.ranking.placing import Placing
from harness.ranking.rounding import half_up
from harness.ranking.uncertainty import Doubt, doubt

# How the reports of each kind of track become exact values.
PLACERS: Mapping[TrackKind, Callable[[Sequence[ScoreReport], Challenge, Track, Phase], list[Placing]]] = {
    "dialogue": place_dialogues,
    "duplex": place_duplex,
}


def leaderboard(
    reports: Sequence[ScoreReport],
    challenge: Challenge,
    track: str,
    phase: Phase = "auto",
    *,
    unscored: Sequence[Unscored] = (),
    exclude_late: bool = False,
    items: Mapping[str, Scores] | None = None,
) -> Leaderboard:
    """One track's table in one phase.

    ``items`` maps teams to their items' scores; with them come intervals, tie groups and which neighbours are too
    close to tell apart.

    Ranks follow the exact finals; equal finals share a rank (1, 1, 3) and stand in the order of their team ids. Late
    rows stand where they fall and have no rank. Below: reports that have no final, then teams without a report.

    Raises UsageError when the reports do not belong in one table (E_MIXED), name a team twice (E_TEAM_DUP) or there
    is nothing to tabulate (E_USAGE), MachineError (E_SCORE) for a stored score that is no number, and (E_CANARY) when
    the judge of a report marked known-answer items wrongly.
    """
    spec = known_track(challenge, track)
    if exclude_late:
        reports = [report for report in reports if not report.late]
        unscored = [team for team in unscored if not team.late]
    if not reports:
        raise UsageError(
            f"there is no score report of {track} to tabulate", code="E_USAGE", hint="pass report.json files or folders"
        )
    refuse_twins([report.team for report in reports] + [team.team for team in unscored])
    reports = sorted(reports, key=lambda report: report.team)
    unscored = sorted(unscored, key=lambda team: team.team)
    refuse_mixture(reports, challenge, track)
    refuse_drifted(reports)
    placings = _in_order(PLACERS[spec.kind](reports, challenge, spec, phase))
    ranks = _ranks(placings)
    unsure = doubt(placings, ranks, items, challenge, spec, phase) if items and spec.kind == "dialogue" else Doubt()
    first = reports[0]
    return Leaderboard(
        schema_version=1,
        track=track,
        phase=phase,
        policy=first.policy,
        challenge=first.challenge,
        judge=first.judge,
        official=_official(placings, phase, spec),
        rows=(
            *(_row(place, spec, ranks.get(place.report.team), unsure) for place in placings),
            *(_unscored_row(team, spec) for team in unscored),
        ),
        separable=unsure.separable,
        bootstrap=unsure.bootstrap,
        noise=_noise(reports),
        inputs_sha256=_inputs(reports, unscored, track, phase),
    )


def _noise(reports: Sequence[ScoreReport]) -> float | None:
    """The judge's own unsteadiness over all replies of the table."""
    found = [each for report in reports for each in report.evidence if each.measure == MOVED]
    count = sum(each.n for each in found)
    return round(sum(each.mean * each.n for each in found) / count, 4) if count else None


def _official(placings: Sequence[Placing], phase: Phase, track: Track) -> bool:
    """Never so for a full-duplex track: its published labels came from a judge that is not one of ours."""
    judge = placings[0].report.judge
    return (
        phase == "final"
        and track.kind == "dialogue"
        and judge is not None
        and judge.official
        and all(place.report.complete and place.final is not None for place in placings)
    )


def _in_order(placings: Sequence[Placing]) -> list[Placing]:
    """Best final first, equal finals by team id; then those that have none, by team id."""
    return sorted(placings, key=lambda place: (place.final is None, -(place.final or Fraction(0)), place.report.team))


def _ranks(placings: Sequence[Placing]) -> dict[str, int]:
    """Team to rank, for those that have one."""
    ranked = [place for place in placings if place.final is not None and not place.report.late]
    first: dict[Fraction | None, int] = {}
    for number, place in enumerate(ranked, start=1):
        first.setdefault(place.final, number)
    return {place.report.team: first[place.final] for place in ranked}


def _row(place: Placing, track: Track, rank: int | None, unsure: Doubt) -> Row:
    report = place.report
    low, high = (unsure.ranks or {}).get(report.team, (None, None))
    exact = {"final": place.final, **place.languages, **place.columns}
    return Row(
        rank=rank,
        rank_low=low,
        rank_high=high,
        group=(unsure.groups or {}).get(report.team),
        team=report.team,
        display_name=report.display_name,
        system=report.system,
        late=report.late,
        baseline=report.baseline,
        final=_float(place.final),
        missing_weight={name: float(weight) for name, weight in place.missing_weight.items()},
        display={
            name: half_up(value, place.decimals.get(name, track.decimals))
            for name, value in exact.items()
            if value is not None
        },
        languages={language: _float(value) for language, value in place.languages.items()},
        columns={name: _float(value) for name, value in place.columns.items()},
        ci=(unsure.intervals or {}).get(report.team),
        notes=tuple(_notes(place)),
        behind=place.behind,
    )


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _notes(place: Placing) -> Iterable[str]:
    report = place.report
    if report.late:
        yield "late: scored, not ranked"
    if report.baseline:
        yield "baseline"
    if not report.complete:
        failed = sum(entry.counts.get("judge_failed", 0) for entry in report.dimensions)
        yield f"{INCOMPLETE}: {failed} judgement(s) failed and must be repeated"
    if "F_CONST" in report.review:
        yield f"for review before publication: {report.review['F_CONST']} replies are nearly the same"
    yield from place.notes


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
