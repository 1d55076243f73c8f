"""`humdial report`: the results as one offline HTML page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from harness.cli import options


@click.command(name="report", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out", required=True, metavar="FILE.html", type=click.Path(path_type=Path, dir_okay=False), help="The page."
)
@click.option(
    "--audience",
    type=click.Choice(["public", "organiser"]),
    default="public",
    show_default=True,
    help="public: aggregates only; organiser: also the replies to look at, and pairs of a full-duplex track.",
)
@click.option(
    "--inputs",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The organisers' full-duplex inputs, to hear the pairs.",
)
@click.option(
    "--outputs",
    metavar="TEAM=DIR",
    multiple=True,
    help="Where a team's outputs are, if not beside its report (repeat).",
)
@click.option(
    "--pairs",
    "per_case",
    metavar="N",
    type=click.IntRange(0, 100),
    default=1,
    show_default=True,
    help="Pairs of each scenario and language.",
)
@click.option("--pair", "names", metavar="NAME", multiple=True, help="Show this pair too, e.g. test-000123 (repeat).")
@click.option("--track", metavar="TRACK", help="Only this track.")
@options.table_options
@options.challenge_option
@options.quiet_option
def command(
    paths: tuple[Path, ...],
    out: Path,
    audience: str,
    inputs: Path | None,
    outputs: tuple[str, ...],
    per_case: int,
    names: tuple[str, ...],
    track: str | None,
    phase: str,
    ratings: Path | None,
    exclude_late: bool,
    challenge_name: str,
    quiet: bool,
) -> None:
    """Write the results of a run directory or of score reports as one HTML file that loads nothing.

    Ranking with rank intervals, what the finals are made of, what became of every team's items, methods,
    fingerprints, and the table as CSV and JSON to download. The public page holds no text, no gold and no single item.

    For organisers a full-duplex track shows pairs on time lines: speech of both sides, stops, gaps, labels. With
    --inputs they can be heard; the audio is in the page.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import note
    from harness.cli.leaderboard import tracks_of
    from harness.documents.codec import write_atomic
    from harness.evaluation.score_files import find_reports
    from harness.evaluation.shown_pairs import PairChoice, shown_pairs
    from harness.evaluation.tables import flagged_items, tabulate
    from harness.reporting.report import render_report

    challenge = load_challenge(challenge_name)
    if ratings is not None and phase != "final":
        raise click.UsageError("--ratings count in phase final only: pass --phase final")
    organiser = audience == "organiser"
    if not organiser and (inputs is not None or outputs or names):
        raise click.UsageError("--inputs, --outputs and --pair are for organisers only: pass --audience organiser")
    choice = PairChoice(per_case, names, inputs, _folders(outputs))
    found, unscored = find_reports(paths)
    pairs = shown_pairs(found, challenge, choice) if organiser else None
    tables = []
    for name in tracks_of([entry.report for entry in found], track, list(challenge.tracks)):
        table = tabulate(
            found,
            unscored,
            challenge,
            name,
            "final" if phase == "final" else "auto",
            ratings=ratings,
            exclude_late=exclude_late,
            agree=True,
        )
        if organiser:
            own = pairs if challenge.duplex is not None and name == challenge.duplex.track else None
            table = replace(table, flagged=flagged_items(found, name), pairs=own)
        tables.append(table)
    write_atomic(out, render_report(tables, challenge, "organiser" if organiser else "public"))
    note(f"{out}: {', '.join(table.board.track for table in tables)}, for {audience}", quiet=quiet)


def _folders(outputs: tuple[str, ...]) -> dict[str, Path]:
    """TEAM=DIR of every --outputs."""
    folders = {}
    for each in outputs:
        team, sign, folder = each.partition("=")
        if not sign or not Path(folder).is_dir():
            raise click.BadParameter(f"{each!a} is not TEAM=DIR with a folder that is there", param_hint="--outputs")
        folders[team] = Path(folder)
    return folders
