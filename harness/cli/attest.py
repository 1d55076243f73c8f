"""`humdial attest`: sign a run's results."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="attest", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, metavar="PEM",
    help="The organisers' private key: Ed25519, ECDSA or RSA. HUMDIAL_KEY_PASSPHRASE opens it.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: RUN/attestation.json.")
@options.quiet_option
def command(run: Path, key: Path, output: Path | None, quiet: bool) -> None:
    """Verify RUN, then sign its results: an in-toto statement in a DSSE envelope.

    `humdial verify RUN --public-key PEM` checks it. Exit 1 when the run does not verify or is not published.
    """
    from harness.cli.console import note
    from harness.cli.evaluate import table_renderers
    from harness.documents.codec import write_atomic
    from harness.evaluation.attestation import ATTESTATION, sign_run
    from harness.evaluation.stored_run import read_run, unchanging
    from harness.evaluation.verify import verify_run

    target = output or run / ATTESTATION
    with unchanging(run):  # what is signed is what was verified
        report = verify_run(run, table_renderers)
        write_atomic(target, sign_run(run, read_run(run).pins, report, key))
    note(f"signed: {target}", quiet=quiet)
