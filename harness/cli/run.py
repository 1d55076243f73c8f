"""`humdial run`: a team image on inputs, with no network."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="run", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("image")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The dialogues and audio to run on; labels found there are never staged.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Where results go: a new or an earlier run's folder."
)
@click.option("--runtime", metavar="NAME", help="What the engine starts it with, for instance runsc (gVisor).")
@options.gpu_option
@options.limits_option
@click.option(
    "--seed", help="Fixes the order and names of the dialogues inside the container; secret and new if absent."
)
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
@options.quiet_option
def command(
    image: str,
    inputs: Path,
    out: Path,
    runtime: str | None,
    gpu: str | None,
    limits_file: Path | None,
    seed: str | None,
    challenge_name: str,
    format_: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Run IMAGE (a name, an id, or a `docker save` tar) with no network and collect what it wrote.

    OUT then holds run.json (how it went and whose fault), submission/ (its outputs under the real ids),
    validation.json (what they are worth) and team.json (what the team may be told when the inputs are secret).
    Exit 0 when it completed, 1 when the run failed because of the image,
    3 when our side failed.
    """
    import secrets

    from harness.challenge.load import load_challenge, override_limits
    from harness.documents.codec import pretty_json, to_plain
    from harness.evaluation.run import run_image
    from harness.reporting.run import run_text

    challenge = load_challenge(challenge_name)
    limits = override_limits(challenge.run_limits, limits_file)
    result = run_image(
        image,
        inputs,
        out,
        challenge,
        limits=limits,
        seed=seed or secrets.token_hex(16),
        gpu=gpu,
        runtime=runtime,
    )
    if format_ == "json":
        options.emit(pretty_json(to_plain(result.record)), output)
    else:
        options.emit(run_text(result.record, result.validation).encode(), output)
    click.get_current_context().exit(options.FAULT_EXITS[result.record.fault])
