"""`humdial precheck`: will this image do on the hidden set?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="precheck", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("image")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The dev set; labels found there are never staged.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Keep the runs' results and logs in this folder.")
@click.option(
    "--hidden", type=click.IntRange(min=1), metavar="N", help="Dialogues in the hidden set, if not the spec's."
)
@options.gpu_option
@options.limits_option
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
@options.quiet_option
@options.progress_option
def command(
    image: str,
    inputs: Path,
    out: Path | None,
    hidden: int | None,
    gpu: str | None,
    limits_file: Path | None,
    challenge_name: str,
    format_: str,
    output: Path | None,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Run IMAGE (a name, an id, or a `docker save` tar) on a quarter, a half and all of the dev set in the official
    sandbox, and say: will it finish in time on the hidden set, is its memory enough, is its output valid, does it
    work offline, and what to fix.

    Exit 0 when nothing is wrong (also when the time is uncertain), 1 when it is not ready, 3 when our side failed.
    """
    import secrets
    import tempfile

    from harness.challenge.load import load_challenge, override_limits
    from harness.cli.console import note
    from harness.documents.codec import pretty_json, to_plain
    from harness.evaluation.precheck import precheck
    from harness.reporting.precheck import precheck_text

    challenge = load_challenge(challenge_name)
    limits = override_limits(challenge.run_limits, limits_file)
    silent = quiet or no_progress
    with tempfile.TemporaryDirectory(prefix="humdial-precheck-") as folder:
        report = precheck(
            image,
            inputs,
            out or Path(folder),
            challenge,
            limits=limits,
            seed=secrets.token_hex(16),
            gpu=gpu,
            hidden=hidden,
            say=lambda text: note(text, quiet=silent),
        )
    text = precheck_text(report).encode() if format_ == "text" else pretty_json(to_plain(report))
    options.emit(text, output)
    if out is not None and report.verdict == "not_ready":
        note(f"what the image printed: {out / f'run-{len(report.runs)}' / 'container.log'}", quiet=quiet)
    click.get_current_context().exit(1 if report.verdict == "not_ready" else 0)
