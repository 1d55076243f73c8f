"""`humdial doctor`: is this machine ready to run images of strangers?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="doctor", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runtime", metavar="NAME", help="Look at this runtime of the engine instead of the site's.")
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
def command(runtime: str | None, challenge_name: str, format_: str, output: Path | None) -> None:
    """Look at the engine, its runtime, the kernel, the disks, the clock and what earlier runs left; each finding with
    one thing to do.

    Exit 0 when runs can be made, 1 when something should be put right before they count, 3 when nothing can run.
    """
    from harness.challenge.load import load_challenge
    from harness.documents.codec import pretty_json, to_plain
    from harness.reporting.doctor import doctor_text
    from harness.sandbox.doctor import examine

    report = examine(load_challenge(challenge_name).run_limits, runtime=runtime)
    options.emit(pretty_json(to_plain(report)) if format_ == "json" else doctor_text(report).encode(), output)
    click.get_current_context().exit({"ok": 0, "note": 0, "wrong": 1, "missing": 3}[report.health])
