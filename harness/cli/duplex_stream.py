"""`humdial duplex stream`: a team image hears the inputs in real time; the harness clocks what it answers."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="stream", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("image")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="A folder with the users' WAVs; every one below it is streamed.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where stream.json and submission/ go.")
@click.option(
    "--claimed",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Output WAVs that the team's own program wrote for the same inputs: their delays are set beside ours.",
)
@click.option(
    "--streams", type=click.IntRange(1, 64), default=1, show_default=True, help="Containers that run side by side."
)
@options.gpu_option
@options.limits_option
@click.option("--seed", help="Fixes the order and names of the inputs for the participant; secret and new if absent.")
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
@options.quiet_option
def command(
    image: str,
    inputs: Path,
    out: Path,
    claimed: Path | None,
    streams: int,
    gpu: str | None,
    limits_file: Path | None,
    seed: str | None,
    challenge_name: str,
    format_: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Stream the WAVs below INPUTS to IMAGE, 20 ms every 20 ms, and write down what comes back and when.

    The container has no network and no files: only the socket that HUMDIAL_STREAM names. Exit 0 when the stream
    completed, 1 when it ended because of the participant, 3 when our side failed.
    """
    import secrets

    from harness.challenge.load import load_challenge, override_limits
    from harness.documents.codec import pretty_json, to_plain
    from harness.evaluation.stream import StreamOptions, stream_image
    from harness.reporting.stream import stream_text

    challenge = load_challenge(challenge_name)
    limits = override_limits(challenge.run_limits, limits_file)
    chosen = StreamOptions(seed=seed or secrets.token_hex(16), streams=streams, gpu=gpu, claimed=claimed)
    record = stream_image(image, inputs, out, challenge, limits, chosen)
    text = pretty_json(to_plain(record)) if format_ == "json" else stream_text(record).encode()
    options.emit(text, output)
    click.get_current_context().exit(options.FAULT_EXITS[record.fault])
