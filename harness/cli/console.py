"""What goes to stderr: progress, notes, hints; and whether to use colour."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

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


def note(text: str, *, quiet: bool = False) -> None:
    """One line for a person, on stderr."""
    if not quiet:
        click.echo(text, err=True)


def note_finding(found: Finding, *, quiet: bool = False) -> None:
    """A finding beside a result, in one line on stderr."""
    note(f"{found.severity} {found.code}: {found.message}", quiet=quiet)
