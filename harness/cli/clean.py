"""`humdial clean`: removes what killed runs left."""

from __future__ import annotations

import click


@click.command(name="clean", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--all", "everything", is_flag=True, help="All containers of ours: only when no run is under way.")
def command(everything: bool) -> None:
    """Remove containers whose process is gone, running or not, and stores of outputs that nobody uses any more. A run
    that is under way keeps its own."""
    from harness.sandbox import connect
    from harness.sandbox.leftovers import clean

    cleaned = clean(connect(), everything=everything)
    for name in cleaned.removed:
        click.echo(f"removed {name}")
    for name in cleaned.unseen:
        click.echo(f"kept {name}: whether its process works cannot be seen from here; --all removes it")
    if not cleaned.removed and not cleaned.unseen:
        click.echo("nothing was left")
