"""`humdial verify`: does a run still say what its parts give?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(name="verify", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--hand-ins", "teams", type=_FILE, metavar="TEAMS.toml", help="Look at the folders and archives too.")
@click.option("--public-key", type=_FILE, metavar="PEM", help="Check the attestation with this key.")
@click.option("--attestation", type=_FILE, help="Where it lies, if not in RUN/attestation.json.")
@options.format_option("text", "json")
@options.output_option
def command(
    run: Path, teams: Path | None, public_key: Path | None, attestation: Path | None, format_: str, output: Path | None
) -> None:
    """Recompute every digest, the scores and the table of RUN from what it keeps; nothing in it is changed.

    Exit 0 when all is as it should be, 1 with the first difference.
    """
    from dataclasses import replace

    from harness.cli.evaluate import table_renderers
    from harness.documents.codec import pretty_json, to_plain
    from harness.documents.verification import Difference
    from harness.evaluation.attestation import ATTESTATION, check_attestation
    from harness.evaluation.verify import verify_run
    from harness.reporting.verification import verification_text

    if attestation is not None and public_key is None:
        raise click.UsageError("--attestation needs the --public-key to check it with")
    report = verify_run(run, table_renderers, teams)
    if public_key is not None:
        signed = check_attestation(run, attestation or run / ATTESTATION, public_key)
        if isinstance(signed, Difference):
            report = replace(report, verified=False, difference=report.difference or signed)
        else:
            report = replace(report, attestation=signed)
    options.emit(pretty_json(to_plain(report)) if format_ == "json" else verification_text(report), output)
    click.get_current_context().exit(0 if report.verified else 1)
