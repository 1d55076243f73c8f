"""`humdial clean`: removes what killed runs left."""

from __future__ import annotations

import click


@click.command(name="clean", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--running", is_flag=True, help="End containers of ours that still run, too: only when no run is under way."
)
def command(running: bool) -> None:
    """Remove containers of earlier runs that have ended, and stores of outputs that nobody uses any more."""
    from harness.sandbox import connect
    from harness.sandbox.leftovers import clean

    containers, stores = clean(connect(), running=running)
    for name in (*containers, *stores):
        click.echo(f"removed {name}")
    if not containers and not stores:
        click.echo("nothing was left")
