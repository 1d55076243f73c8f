"""`humdial duplex plot`: one pair drawn on one time line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.cli import options

_WAV = click.Path(path_type=Path, exists=True, dir_okay=False)
_LABELS = ("RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN")


@click.command(name="plot", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--user", type=_WAV, required=True, help="The input: what the user said.")
@click.option("--model", type=_WAV, required=True, help="The output, aligned with the input's first sample.")
@click.option(
    "--label", "labels", multiple=True, type=click.Choice(_LABELS), help="A behaviour to write above (repeat)."
)
@options.challenge_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The picture: a path that ends in .svg or .png.",
)
def command(user: Path, model: Path, labels: tuple[str, ...], challenge_name: str, output: Path) -> None:
    """Draw one pair of WAVs on one time line: speech of both sides, stops (the model spoke on while the user spoke) and
    response gaps (from the end of the user's speech to the model's next start) with their lengths.

    The times are those of `humdial duplex timing`. The same pair gives the same bytes: the picture has no date.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import note_finding
    from harness.evaluation.duplex_timing import time_pair
    from harness.reporting.time_line import draw_pair

    formats: dict[str, Literal["svg", "png"]] = {".svg": "svg", ".png": "png"}
    format_ = formats.get(output.suffix.lower())
    if format_ is None:
        raise click.BadParameter("the path has to end in .svg or .png", param_hint="--output")
    timing = time_pair(user, model, load_challenge(challenge_name), note_finding)
    options.emit(draw_pair(timing, labels, format_), output)
