"""`humdial leaderboard`: score reports to a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.documents.report import ScoreReport


@click.command(name="leaderboard", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path, exists=True))
@click.option("--track", metavar="TRACK", help="Only this track; needed for json and csv when there are several.")
@options.table_options
@click.option("--no-intervals", is_flag=True, help="Do not draw intervals, tie groups and close pairs from the items.")
@options.challenge_option
@options.format_option("table", "markdown", "csv", "latex", "html", "json")
@options.output_option
@options.color_option
@options.quiet_option
def command(
    paths: tuple[Path, ...],
    track: str | None,
    phase: str,
    ratings: Path | None,
    exclude_late: bool,
    no_intervals: bool,
    challenge_name: str,
    format_: str,
    output: Path | None,
    color: str,
    quiet: bool,
) -> None:
    """Tabulate score reports, a table a track.

    A PATH is a report.json, a folder that `humdial score --out` wrote, a folder with one such folder a team, or a run
    directory. Teams with a run record or validation report but no score are listed below the table. Equal scores
    share a rank; late submissions have none. Where the items lie beside the reports, the table has intervals of
    finals and ranks, tie groups, and the neighbours that only the hidden set can tell apart.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import note_finding, wants_color
    from harness.evaluation.score_files import find_reports
    from harness.evaluation.tables import tabulate
    from harness.reporting.leaderboard import render
    from harness.reporting.report import render_report

    challenge = load_challenge(challenge_name)
    if ratings is not None and phase != "final":
        raise click.UsageError("--ratings count in phase final only: pass --phase final")
    found, unscored = find_reports(paths)
    tables = []
    for name in _tracks([entry.report for entry in found], track, format_, list(challenge.tracks)):
        table = tabulate(
            found,
            unscored,
            challenge,
            name,
            "final" if phase == "final" else "auto",
            ratings=ratings,
            exclude_late=exclude_late,
            intervals=not no_intervals,
            agree=format_ == "html",
        )
        tables.append(table)
        for finding in table.ratings.findings if table.ratings else ():
            note_finding(finding, quiet=quiet)
    if format_ == "html":
        options.emit(render_report(tables, challenge, "public"), output)
        return
    colored = wants_color(color) and output is None
    options.emit(b"\n".join(render(table.board, challenge, format_, color=colored) for table in tables), output)


def _tracks(reports: list[ScoreReport], wanted: str | None, format_: str, known: list[str]) -> list[str]:
    tracks = tracks_of(reports, wanted, known)
    if len(tracks) > 1 and format_ in ("json", "csv", "latex"):
        raise click.UsageError(f"the reports are of {', '.join(tracks)}: choose one with --track")
    return tracks


def tracks_of(reports: list[ScoreReport], wanted: str | None, known: list[str]) -> list[str]:
    """The tracks to tabulate, in the order of the spec, then those it does not know."""
    if wanted is not None:
        return [wanted]
    present = {report.track for report in reports}
    tracks = [name for name in known if name in present] + sorted(present - set(known))
    if not tracks:
        raise click.UsageError("none of the teams has a score report: there is nothing to tabulate")
    return tracks
