"""`humdial rescore`: scores and table again from a run's stored verdicts."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="rescore", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--policy", type=click.Choice(["strict", "published"]), help="Another policy than the run's.")
@click.option("--challenge", "challenge_name", metavar="SPEC", help="Another spec than the run's, such as a fixed one.")
@click.option("--out", type=click.Path(path_type=Path), help="Where it goes, if not to a new folder in RUN.")
@options.quiet_option
def command(run: Path, policy: str | None, challenge_name: str | None, out: Path | None, quiet: bool) -> None:
    """Score RUN again from what it keeps. Needs no team image, no judge and no GPU; RUN's own results stay.

    Exit 0 with the table, 1 when a verdict is not stored or the table may not be published.
    """
    from harness.challenge.load import load_challenge
    from harness.cli.console import note
    from harness.cli.evaluate import table_renderers
    from harness.evaluation.rescore import rescore_run
    from harness.evaluation.stored_run import read_run
    from harness.reporting.leaderboard import render

    challenge = load_challenge(challenge_name) if challenge_name else read_run(run).challenge
    done = rescore_run(run, table_renderers, challenge=challenge, policy=policy, out=out)
    before, after = done.record.before.fingerprint, done.record.after.fingerprint
    same = "the same as before" if before == after else f"before: {before}"
    note(f"scored in {done.out}\nscoring: {after} ({same})", quiet=quiet)
    note("items scored otherwise: " + (", ".join(done.changed) or "none"), quiet=quiet)
    options.emit(render(done.board, challenge, "table"), None)
