"""Options that several commands share, and the one way results leave: stdout, or a file written in one step."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import system
from harness.cli.console import deafen
from harness.documents.codec import write_atomic
from harness.errors import MachineError

F = TypeVar("F", bound=Callable[..., Any])

challenge_option = click.option(
    "--challenge",
    "challenge_name",
    default="humdial-2026",
    show_default=True,
    metavar="SPEC",
    help="A built-in challenge or a TOML spec.",
)
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to this file instead."
)
color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colour."
)
verbose_option = click.option("-v", "--verbose", count=True, help="Say more (-vv: more still).")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing but the result.")
progress_option = click.option("--no-progress", is_flag=True, help="No progress on stderr.")


def _own_prompts(context: click.Context, parameter: click.Parameter, folder: Path | None) -> None:
    from harness.judge.prompts import OWN

    if folder is not None:
        os.environ[OWN] = str(folder.resolve())


prompts_option = click.option(
    "--prompts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    expose_value=False,
    callback=_own_prompts,
    help="The organisers' own prompts, in place of ours where DIR has a folder of the same name.",
    metavar="DIR",
)


limits_option = click.option(
    "--limits",
    "limits_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A TOML file that replaces some of the challenge's [limits.run].",
)
recogniser_option = click.option(
    "--recogniser",
    default="small",
    show_default=True,
    metavar="PROFILE",
    help="Track 2: who writes down what has no ready transcript, a [duplex.recognisers] of the spec; none for nobody.",
)
delay_option = click.option(
    "--delay-from",
    type=click.Choice(["words", "voice"]),
    default="words",
    show_default=True,
    help="Track 2: the first response is the first word, or the onset of voice activity.",
)
gpu_option = click.option("--gpu", metavar="DEVICE", help="Give the container this GPU (a UUID).")
FAULT_EXITS = {"none": 0, "submission": 1, "unclear": 1, "infrastructure": 3}


def table_options(command: F) -> F:
    """What decides how teams are ranked: ``--phase``, ``--ratings``, ``--exclude-late``."""
    for option in (_late_option, _ratings_option, _phase_option):
        command = option(command)
    return command


_phase_option = click.option(
    "--phase",
    type=click.Choice(["auto", "final"]),
    default="auto",
    show_default=True,
    help="auto: everything from the judge; final: with the human ratings.",
)
_ratings_option = click.option(
    "--ratings",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Human ratings (CSV), for --phase final.",
)
_late_option = click.option("--exclude-late", is_flag=True, help="Leave late submissions out.")


def format_option(*formats: str) -> Callable[[F], F]:
    """``-f/--format``; the first of ``formats`` is the default."""
    return click.option(
        "-f", "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True, help="Format."
    )


def append_summary(markdown: bytes) -> None:
    """Add to the page of a GitHub job step, when there is one: GITHUB_STEP_SUMMARY names its file.

    Raises MachineError (I_DISK) when the runner's file cannot be written.
    """
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        with Path(name).open("ab") as stream:
            stream.write(markdown + b"\n")
    except OSError as error:
        raise MachineError(
            f"GITHUB_STEP_SUMMARY cannot be written: {error.strerror}", code="I_DISK", hint="check the runner"
        ) from error


def emit(data: bytes, output: Path | None) -> None:
    """The result, to a file (atomically) or to stdout."""
    if output is not None:
        if system.FOLDERS_BY_DESCRIPTOR:
            write_atomic(output, data)
        else:
            _write_plainly(output, data)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever read it has enough; the exit code is what the command found
        deafen(sys.stdout)


def _write_plainly(output: Path, data: bytes) -> None:
    """As `write_atomic` on a system with less. Raises MachineError (I_DISK)."""
    try:
        system.replace_file(output, data)
    except OSError as error:
        raise MachineError(
            f"{output} could not be written: {error.strerror}", code="I_DISK", hint="free space or pass another folder"
        ) from error
