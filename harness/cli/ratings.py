"""`humdial ratings import|check`: human ratings, from the raters to the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.evaluation.rating_files import CheckedRatings

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_FILES = click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
_SCORES = click.option(
    "--scores",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path, exists=True),
    help="Score reports, or a run directory: the teams and items that ratings may be about.",
)
_REFERENCES = click.option(
    "--references", metavar="DIR", type=click.Path(path_type=Path, exists=True), help="The organisers' dialogues."
)
_KEY = click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The key of the rating page these exports come from.",
)
_TRACK = click.option("--track", metavar="TRACK", help="The track that was rated, when there are several.")


@click.group(name="ratings", context_settings=_SETTINGS)
def command() -> None:
    """Read and check human ratings: CSV with team,language,dialogue_id,rater_id,dimension,score."""


@command.command(context_settings=_SETTINGS)
@_FILES
@_SCORES
@_REFERENCES
@_KEY
@_TRACK
@options.challenge_option
@options.format_option("text", "concise", "json")
@options.output_option
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[Path, ...],
    scores: tuple[Path, ...],
    references: Path | None,
    key: Path | None,
    track: str | None,
    challenge_name: str,
    format_: str,
    output: Path | None,
) -> None:
    """Say everything that is wrong with the ratings, and how far raters agree with each other and with the judge.

    With --scores also unknown teams and dialogues, teams that nobody rated, and the judge against the raters. Exit 1
    when there is an error.
    """
    from harness.reporting.ratings import render

    checked = _checked(files, scores, references, key, track, challenge_name)
    options.emit(render(checked.report, format_), output)
    ctx.exit(0 if checked.report.valid else 1)


@command.command(name="import", context_settings=_SETTINGS)
@_FILES
@_SCORES
@_REFERENCES
@_KEY
@_TRACK
@options.challenge_option
@options.output_option
@options.quiet_option
@click.pass_context
def import_(
    ctx: click.Context,
    files: tuple[Path, ...],
    scores: tuple[Path, ...],
    references: Path | None,
    key: Path | None,
    track: str | None,
    challenge_name: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Put raters' files together into one sorted CSV for `leaderboard --ratings`; blinded items need --key.

    Findings go to stderr. With an error nothing is written and the exit code is 1.
    """
    from harness.cli.console import note
    from harness.documents.ratings import ratings_csv
    from harness.reporting.ratings import render

    checked = _checked(files, scores, references, key, track, challenge_name)
    note(render(checked.report, "text").decode().rstrip("\n"), quiet=quiet and checked.report.valid)
    if not checked.report.valid:
        ctx.exit(1)
    options.emit(ratings_csv(checked.ratings), output)


def _checked(
    files: tuple[Path, ...],
    scores: tuple[Path, ...],
    references: Path | None,
    key: Path | None,
    track: str | None,
    challenge_name: str,
) -> CheckedRatings:
    from harness.challenge.load import load_challenge
    from harness.evaluation.rating_files import check_ratings, cohort, rated_track
    from harness.evaluation.score_files import find_reports

    challenge = load_challenge(challenge_name)
    chosen = rated_track(challenge, track)
    teams = cohort(*find_reports(scores), chosen.id) if scores else None
    return check_ratings(files, challenge, chosen, teams=teams, references=references, key=key)
