"""`humdial ratings import|check|page`: human ratings, from the raters to the table."""

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
    """Read and check human ratings (CSV with team,language,dialogue_id,rater_id,dimension,score); write the raters'
    page."""


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


@command.command(context_settings=_SETTINGS)
@click.argument("submissions", nargs=-1, required=True, metavar="[TEAM=]SUBMISSION...")
@click.option(
    "--references",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True),
    help="The organisers' dialogues, with text and emotions.",
)
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Where the pages go."
)
@click.option(
    "--key",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the key goes: which item is which reply. Raters must not get it.",
)
@click.option("--seed", metavar="TEXT", help="The key's secret; the same gives the same pages. Random if not given.")
@click.option(
    "--audio",
    type=click.Choice(["embedded", "beside"]),
    default="embedded",
    show_default=True,
    help="In the page, or in a folder beside it.",
)
@_TRACK
@options.challenge_option
@options.quiet_option
def page(
    submissions: tuple[str, ...],
    references: Path,
    out: Path,
    key: Path,
    seed: str | None,
    audio: str,
    track: str | None,
    challenge_name: str,
    quiet: bool,
) -> None:
    """Write the page on which raters hear and mark replies: a file a language, without names.

    A SUBMISSION is what `score` takes: a folder, an archive, or what `run` collected. Each rater types an id and gets
    an order of their own; marks are kept in the browser and saved as the CSV that `ratings import --key` takes.
    """
    import secrets
    import tempfile

    from harness.challenge.load import load_challenge
    from harness.cli.console import note
    from harness.documents.codec import pretty_json, to_plain, write_atomic
    from harness.evaluation.rating_files import rated_track
    from harness.evaluation.rating_page import RatedTeam, rating_pages
    from harness.reporting.rating_page import audio_files, render_rating_page

    if out.resolve() in key.resolve().parents:
        raise click.UsageError("--key lies among the pages, where raters would get it: choose another folder")
    challenge = load_challenge(challenge_name)
    teams = [RatedTeam(path, team) for team, path in map(_submission, submissions)]
    with tempfile.TemporaryDirectory(prefix="humdial-ratings-") as work:
        pages, kept = rating_pages(
            teams,
            references,
            challenge,
            rated_track(challenge, track),
            seed or secrets.token_hex(16),
            Path(work),
            lambda line: note(line, quiet=quiet),
        )
    write_atomic(key, pretty_json(to_plain(kept)))
    for each in pages:
        for name, data in audio_files(each).items() if audio == "beside" else ():
            write_atomic(out / name, data)
        written = render_rating_page(each, challenge, beside=audio == "beside")
        write_atomic(out / f"rate-{each.language}.html", written)
        note(f"{out}/rate-{each.language}.html: {len(each.items)} replies, {len(written) / 1e6:.1f} MB", quiet=quiet)


def _submission(argument: str) -> tuple[str | None, Path]:
    """PATH, or TEAM=PATH."""
    team, sign, path = argument.partition("=")
    if sign and not Path(argument).exists():
        return team, _existing(path)
    return None, _existing(argument)


def _existing(path: str) -> Path:
    if not Path(path).exists():
        raise click.BadParameter(f"{path!a} does not exist", param_hint="SUBMISSION")
    return Path(path)
