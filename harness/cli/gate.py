"""`humdial gate`: may a pull request be looked at?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.documents.finding import Finding, ValidationReport


@click.command(name="gate", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--base", required=True, metavar="REV", help="What the branch would be merged into.")
@click.option("--head", required=True, metavar="REV", help="The branch's last commit.")
@click.option("--repo", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False), help="The clone.")
@click.option("--folder", default="submissions", show_default=True, help="Holds the submissions as TEAM/ATTEMPT/.")
@click.option("--author", metavar="LOGIN", help="Who opened the pull request.")
@click.option("--teams", metavar="PATH", help="A JSON file of the base: {team: [login, …]}; needs --author.")
@options.challenge_option
@options.format_option("text", "concise", "json", "github", "markdown", "junit", "sarif")
@options.output_option
@options.color_option
def command(
    base: str,
    head: str,
    repo: Path,
    folder: str,
    author: str | None,
    teams: str | None,
    challenge_name: str,
    format_: str,
    output: Path | None,
    color: str,
) -> None:
    """Check what a pull request changes: new folders of one team with regular files, and nothing else.

    Only git's objects are read; nothing is checked out. Exit 0 when it may be looked at, 1 when not. With -f github the
    new folders go to the file that GITHUB_OUTPUT names, one a line as `folders`.
    """
    from harness.cli.console import wants_color
    from harness.gate import Gate, judge_changes, read_changes
    from harness.reporting.validation import render_all

    changes, known = read_changes(repo, base, head)
    gate = Gate(folder.strip("/"), author, _teams(repo, base, teams) if teams else None)
    findings, folders = judge_changes(changes, known, gate)
    report = _report(findings, len(changes), challenge_name)
    options.emit(render_all([report], format_, color=output is None and wants_color(color)), output)
    if format_ == "github":
        options.append_summary(render_all([report], "markdown"))
        if name := os.environ.get("GITHUB_OUTPUT"):
            with Path(name).open("a", encoding="utf-8") as stream:  # the names hold no line end and no '<'
                stream.write("folders<<humdial\n" + "".join(f"{each}\n" for each in folders) + "humdial\n")
    click.get_current_context().exit(0 if report.valid else 1)


def _teams(repo: Path, base: str, path: str) -> dict[str, tuple[str, ...]]:
    """The list as the base has it: a pull request cannot change who it speaks for."""
    from harness.errors import UsageError
    from harness.gate.changes import read_file

    try:
        plain = json.loads(read_file(repo, base, path) or b"null")
        return {team: tuple(str(login) for login in logins) for team, logins in plain.items()}
    except (ValueError, AttributeError, TypeError) as error:
        hint = 'commit {"team": ["login", …]} to the base'
        raise UsageError(f"{path} of {base} is no list of teams", code="E_USAGE", hint=hint) from error


def _report(findings: list[Finding], files: int, challenge_name: str) -> ValidationReport:
    from harness import __version__
    from harness.challenge.load import load_challenge
    from harness.documents.finding import ChallengeRef, Checked, Findings, ValidationReport

    challenge = load_challenge(challenge_name)
    collected = Findings()
    collected.extend(findings)
    kept, truncated = collected.result()
    return ValidationReport(
        schema_version=1,
        subject=".",
        valid=not collected.has_errors,
        findings=kept,
        checked=Checked(files=files),
        truncated=truncated,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        harness_version=__version__,
    )
