"""`humdial init`: a participant's starter kit."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="init", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--team", metavar="ID", help="The team's id; the folder's name if absent.")
@click.option("--track", metavar="TRACK", help="The track, for instance track1.")
@options.challenge_option
@options.quiet_option
def command(folder: Path, team: str | None, track: str | None, challenge_name: str, quiet: bool) -> None:
    """Write a starter kit to the new folder DIR: a participant that already works, its Dockerfile, a submission
    that is begun, and a Makefile and workflow that check both."""
    from harness.challenge.load import load_challenge
    from harness.cli.console import note
    from harness.kit import write_kit

    kit = write_kit(folder, load_challenge(challenge_name), team=team or folder.resolve().name, track=track)
    options.emit("".join(f"{folder / name}\n" for name in kit.files).encode(), None)
    note(f"next: put the dev set at {folder / 'dev'}, then `make -C {folder} try`", quiet=quiet)
