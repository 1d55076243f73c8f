"""`humdial duplex timing`: who spoke when in one pair, and the intervals between them."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options

_WAV = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(name="timing", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--user", type=_WAV, required=True, help="The input: what the user said.")
@click.option("--model", type=_WAV, required=True, help="The output, aligned with the input's first sample.")
@options.challenge_option
@options.format_option("json", "text")
@options.output_option
def command(user: Path, model: Path, challenge_name: str, format_: str, output: Path | None) -> None:
    """Measure one pair of WAVs: speech of both sides, how long the model spoke on while the user spoke (stop), and
    from the end of the user's speech to the model's next start (response).

    Times are seconds from the first sample. Any PCM WAV from 8 to 48 kHz is resampled to 16 kHz; stereo is refused
    unless the spec mixes it. An output that is not as long as its input is said to be on stderr.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import note_finding
    from harness.documents.codec import pretty_json, to_plain
    from harness.evaluation.duplex_timing import time_pair

    timing = to_plain(time_pair(user, model, load_challenge(challenge_name), note_finding))
    if format_ == "json":
        options.emit(pretty_json(timing), output)
        return
    lines = [f"{name:9}{_spans(spans)}" for name, spans in timing.items()]
    options.emit(("\n".join(lines) + "\n").encode(), output)


def _spans(spans: list[list[float]]) -> str:
    return "  ".join(f"{start:.3f}-{end:.3f} ({end - start:.3f} s)" for start, end in spans) or "none"
