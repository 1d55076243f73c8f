"""`humdial evaluate`: a whole challenge in one run directory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.challenge.spec import Challenge
    from harness.documents.leaderboard import Leaderboard

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FLAGS = 20  # so many lines for review are read by somebody; review.json has all


def table_renderers(challenge: Challenge) -> dict[str, Callable[[Leaderboard], bytes]]:
    """The files of a run directory that show its table, by their names."""
    from harness.documents.published import Table
    from harness.reporting.leaderboard import render
    from harness.reporting.report import render_report

    tables = {
        f"leaderboard.{ending}": partial(render, challenge=challenge, format_=format_)
        for ending, format_ in (("md", "markdown"), ("csv", "csv"), ("json", "json"))
    }
    return {**tables, "report.html": lambda board: render_report([Table(board)], challenge, "public")}


@click.command(name="evaluate", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("teams", metavar="TEAMS.toml", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--inputs", type=_FOLDER, required=True, help="What images get: dialogues without labels.")
@click.option(
    "--references", type=_FOLDER, required=True, help="The organisers' dialogues with text and emotion, or their key."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="RUN", help="The run directory.")
@click.option("--judge", "profile", default="small", show_default=True, metavar="PROFILE", help="Which judge.")
@click.option("--policy", type=click.Choice(["strict", "published"]), default="strict", show_default=True)
@click.option("--track", metavar="TRACK", help="Only this track; needed when the teams are of several.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Teams at once.")
@click.option(
    "--limits",
    "limits_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A TOML file that replaces some of the challenge's [limits.run].",
)
@click.option("--fresh", is_flag=True, help="Judge again even what this judge has judged before.")
@options.prompts_option
@click.option(
    "--gpu",
    "gpus",
    multiple=True,
    metavar="ID",
    help="A GPU of this machine (UUID or index); repeat it. One team each.",
)
@click.option(
    "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where work is done."
)
@click.option(
    "--ray-address", envvar="RAY_ADDRESS", default="local", show_default=True, metavar="ADDRESS",
    help="With --executor ray: a cluster's host:port, `auto` (the one on this machine) or `local` (a new one here).",
)  # fmt: skip
@options.recogniser_option
@click.option("--recogniser-weights", type=_FOLDER, help="Track 2: the weights of one that comes in no package.")
@click.option(
    "--transcripts", type=_FOLDER, help="Track 2: ready transcripts, a folder a team, named like the outputs."
)
@options.delay_option
@options.challenge_option
@options.color_option
@options.quiet_option
@options.progress_option
def command(
    teams: Path,
    inputs: Path,
    references: Path,
    out: Path,
    profile: str,
    policy: str,
    track: str | None,
    jobs: int,
    limits_file: Path | None,
    fresh: bool,
    gpus: tuple[str, ...],
    executor: str,
    ray_address: str,
    recogniser: str,
    recogniser_weights: Path | None,
    transcripts: Path | None,
    delay_from: str,
    challenge_name: str,
    color: str,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Evaluate every team of TEAMS.toml and publish a table.

    The same command goes on after a crash, and does only what is missing. Exit codes: 0 published (teams that failed
    stand below the table), 1 publication refused, 3 something on our side failed: run it again.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import say
    from harness.cli.watch import watching
    from harness.evaluation.beginning import EvaluateOptions, HearingOptions
    from harness.evaluation.campaign import evaluate_challenge
    from harness.judge.prompts import check_prompts
    from harness.reporting.leaderboard import render

    if gpus and executor == "ray":
        raise click.UsageError("--gpu is for this machine: Ray gives out the GPUs of its nodes itself")
    challenge = load_challenge(challenge_name)
    check_prompts(challenge)
    writes = None if recogniser == "none" else recogniser
    hearing = HearingOptions(writes, recogniser_weights, transcripts, delay_from)
    wanted = EvaluateOptions(
        challenge_name, profile, policy, track, jobs, limits_file, fresh, executor, ray_address, gpus, hearing
    )
    with watching(color, quiet=quiet or no_progress) as watcher:
        outcome = evaluate_challenge(
            teams, inputs, references, out, challenge, wanted, table_renderers(challenge), watcher
        )
    if outcome.board is not None:
        options.emit(render(outcome.board, challenge, "table"), None)
        for flag in outcome.flags[:_FLAGS]:
            say(f"for review: {flag.message} [{flag.code}]")
        if len(outcome.flags) > _FLAGS:
            say(f"for review: {len(outcome.flags) - _FLAGS} more in {out / 'review.json'}")
        return
    for name, failure in outcome.unfinished.items():
        say(f"unfinished: {name}: {failure.message} [{failure.code}]\n  hint: {failure.hint}")
    for why in outcome.refusals:
        say(f"refused: {why}")
    say("nothing was published" + ("; run the same command again" if outcome.unfinished else ""))
    click.get_current_context().exit(3 if outcome.unfinished else 1)
