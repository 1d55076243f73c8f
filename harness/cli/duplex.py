"""`humdial duplex`: what belongs to full-duplex interaction alone. Each part is a file of its own."""

from __future__ import annotations

import click

from harness.cli.duplex_clean import command as clean
from harness.cli.duplex_plot import command as plot
from harness.cli.duplex_stream import command as stream
from harness.cli.duplex_timing import command as timing


@click.group(name="duplex", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Track 2: the timing of pairs and their time lines, clean inputs, and streaming in real time."""


command.add_command(timing)
command.add_command(plot)
command.add_command(clean)
command.add_command(stream)
