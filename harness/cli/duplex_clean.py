"""`humdial duplex clean`: the clean counterparts of a folder of inputs."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="clean", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("inputs", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the clean WAVs go.")
@click.option(
    "--outputs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A submission's folder: instead of clean inputs, make the second halves of speech directed at others.",
)
@options.challenge_option
@options.output_option
def command(inputs: Path, out: Path, outputs: Path | None, challenge_name: str, output: Path | None) -> None:
    """Make the clean counterpart of every input in INPUTS (a dev folder, or one with key.jsonl) whose scenario has one.

    The first query stays where it is, everything else is silence; for speech directed at others the follow-up query
    moves to the place of the first. Samples are copied, never resampled. Prints the paths that were written.

    With --outputs, the inputs of speech directed at others and their outputs are cut at the follow-up query instead,
    and what the system said while it was asked is silenced: what remains is written down and labelled again.
    """
    from harness.challenge.load import load_challenge
    from harness.evaluation.duplex_clean import make_clean, make_second

    challenge = load_challenge(challenge_name)
    made = make_clean(inputs, out, challenge) if outputs is None else make_second(inputs, outputs, out, challenge)
    options.emit("".join(f"{path}\n" for path in made).encode(), output)
