"""`humdial validate`: every problem of folders and archives in one pass."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.challenge.spec import Challenge
    from harness.documents.finding import ValidationReport
    from harness.submission import PairInputs, References


@click.command(name="validate", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path))
@click.option(
    "--layout",
    default="auto",
    show_default=True,
    metavar="auto|seed|release|data",
    help="How the files are named; data: a train, dev or test folder of the organisers.",
)
@click.option(
    "--inputs",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True),
    help="The dialogues expected; without them completeness is not judged.",
)
@click.option("--track", metavar="TRACK", help="The track, for instance track1.")
@click.option("--team", metavar="ID", help="The team's id, when no submission.json says it.")
@click.option("--draft", is_flag=True, help="A missing PDF or an incomplete set is a warning.")
@click.option("--policy", default="strict", show_default=True, metavar="POLICY", help="strict or published.")
@options.challenge_option
@options.format_option("text", "concise", "json", "github", "markdown", "junit", "sarif")
@options.output_option
@options.color_option
@options.verbose_option
@options.quiet_option
@options.progress_option
def command(
    paths: tuple[Path, ...],
    layout: str,
    inputs: Path | None,
    track: str | None,
    team: str | None,
    draft: bool,
    policy: str,
    challenge_name: str,
    format_: str,
    output: Path | None,
    color: str,
    verbose: int,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Check what a team would hand in: a folder, a .zip, a .tar or a .tar.gz.

    Nothing is executed and nothing is written beside the archive. Exit 0 when every PATH is valid, 1 when one is not.
    With -f github a Markdown summary is appended to the file that GITHUB_STEP_SUMMARY names.
    """
    from harness.submission.readers.apart import make_ready

    make_ready()
    from harness.challenge.load import load_challenge
    from harness.cli.console import note, wants_color
    from harness.reporting.validation import render_all
    from harness.submission import check
    from harness.submission.readers.refusal import printable
    from harness.system import path_text

    challenge = load_challenge(challenge_name)
    expected, pairs = _expected(inputs, challenge) if inputs is not None else (None, None)
    reports, lines = [], []
    for number, path in enumerate(paths, 1):
        if verbose or (len(paths) > 1 and sys.stderr.isatty() and not no_progress):
            note(f"{number}/{len(paths)} {path}", quiet=quiet)
        with _work(format_, path) as work:
            outcome = check(
                path,
                challenge,
                layout=layout,
                expected=expected.dialogues if expected else None,
                track=track,
                team=team,
                draft=draft,
                policy=policy,
                pairs=pairs,
                work=work,
            )
            lines.append(_lines(format_, path, work, outcome.report, challenge))
        if verbose and outcome.submission is not None:
            found = outcome.submission
            note(f"  team {found.team}, layout {found.layout}, {found.track}", quiet=quiet)
        reports.append(replace(outcome.report, subject=printable(path_text(path))))
    paint = output is None and wants_color(color)
    options.emit(render_all(reports, format_, color=paint, lines=lines), output)
    if format_ == "github":
        options.append_summary(render_all(reports, "markdown"))
    invalid = sum(not report.valid for report in reports)
    if invalid and format_ == "text":
        note("`humdial explain CODE` shows a rule with a bad and a good example", quiet=quiet)
    click.get_current_context().exit(1 if invalid else 0)


@contextmanager
def _work(format_: str, path: Path) -> Iterator[Path | None]:
    """A folder where an archive stays unpacked while its lines are wanted; None when nobody will look at them."""
    if format_ != "text" or path.is_dir():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="humdial-validate-") as folder:
        yield Path(folder)


def _lines(
    format_: str, path: Path, work: Path | None, report: ValidationReport, challenge: Challenge
) -> Mapping[tuple[str, int], str]:
    """The lines that the text format shows with a caret."""
    if format_ != "text":
        return {}
    from harness.reporting.validation import most_important
    from harness.submission.offending_lines import offending_lines

    unpacked = next(work.iterdir(), None) if work is not None else path
    findings = most_important(report.findings)
    return offending_lines(unpacked, findings, challenge.read_limits) if unpacked is not None else {}


def _expected(inputs: Path, challenge: Challenge) -> tuple[References | None, PairInputs | None]:
    """What the inputs ask for: dialogues, or the pairs of a full-duplex track. Raises UsageError (E_GOLD) when they
    cannot be relied on."""
    from harness.errors import UsageError
    from harness.submission import has_pairs, read_pairs, read_references

    references, pairs = None, None
    if challenge.duplex is not None and has_pairs(inputs, challenge):
        pairs = read_pairs(inputs, challenge, challenge.duplex)
        findings, found, absent = pairs.findings, len(pairs.audio_s), "E_KEY_AUDIO"
    else:
        references = read_references(inputs, challenge, need_labels=False)
        findings, found, absent = references.findings, len(references.dialogues), "E_GOLD_AUDIO"
    # Audio may be left out of the inputs when only completeness is checked.
    errors = [finding for finding in findings if finding.severity == "error" and finding.code != absent]
    if errors or not found:
        first = errors[0] if errors else None
        what = f"{first.file}:{first.line}: {first.message}" if first else "no dialogue was found"
        raise UsageError(
            f"{inputs} cannot be used as --inputs: {what}",
            code="E_GOLD",
            hint=f"`humdial validate --layout data {inputs}` lists everything",
        )
    return references, pairs
