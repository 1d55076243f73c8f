"""What goes to stderr: progress, notes, hints; and whether to use colour."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.documents.finding import Finding


def wants_color(choice: str, stream: IO[str] | None = None) -> bool:
    """NO_COLOR wins over FORCE_COLOR, an explicit --color over both; else colour on a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty()


def say(text: str) -> None:
    """One line on stderr. That nobody reads it any more, or that a disk is full, ends nothing: the work and the exit
    code are what counts."""
    try:
        click.echo(text, err=True)
    except OSError:
        deafen(sys.stderr)


def deafen(stream: IO[str]) -> None:
    """From now on what is written to ``stream`` is lost, and nothing complains."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str, *, quiet: bool = False) -> None:
    """One line for a person, on stderr."""
    if not quiet:
        say(text)


def note_finding(found: Finding, *, quiet: bool = False) -> None:
    """A finding beside a result, in one line on stderr."""
    note(f"{found.severity} {found.code}: {found.message}", quiet=quiet)
