"""Which reports may stand in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from harness.challenge.spec import Challenge, Track
from harness.documents.codec import to_plain
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import ROW_KEYS
from harness.documents.report import ScoreReport
from harness.errors import MachineError, UsageError

T = TypeVar("T")


def known_track(challenge: Challenge, track: str) -> Track:
    """The track of the spec. Raises UsageError: E_USAGE when there is none, E_CONFIG for a language whose name is
    that of a row's key."""
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


def refuse_twins(teams: Iterable[str]) -> None:
    """Raises UsageError (E_TEAM_DUP) when a team stands twice."""
    twice = sorted(team for team, count in Counter(teams).items() if count > 1)
    if twice:
        raise UsageError(
            f"{', '.join(twice)} stands twice among the inputs",
            code="E_TEAM_DUP",
            hint="pass one report a team: the attempt that counts",
        )


def refuse_mixture(reports: Sequence[ScoreReport], challenge: Challenge, track: str) -> None:
    """Raises UsageError (E_MIXED) when the reports are of several tracks, policies, specs or judges, or not of this
    track and challenge."""
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


def refuse_drifted(reports: Sequence[ScoreReport]) -> None:
    """Raises MachineError (E_CANARY) when the judge of a report marked known-answer items wrongly: it has marked the
    others no better."""
    for report in reports:
        check = report.canaries
        if check is not None and not check.passed:
            raise MachineError(
                f"the judge marked {len(check.out)} of {check.n} known-answer items out of their bands while it judged "
                f"{report.team}: {'; '.join(check.out[:3])}",
                code="E_CANARY",
                hint="`humdial judge verify`, then score with --fresh; no team is to blame and nothing is published",
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
