"""humdial.1: the help of every command as one manual page, which the wheel puts where `man humdial` looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from harness import __version__
from harness.cli.main import cli

NOTE = r".\" Written by `make reference` from harness/cli/; do not edit."
_PARAGRAPH = re.compile(r"\n\s*\n")


def man_page() -> str:
    root = click.Context(cli, info_name="humdial", **cli.context_settings)
    lines = [
        NOTE,
        f'.TH HUMDIAL 1 "" "humdial {__version__}" "User Commands"',
        ".SH NAME",
        rf"humdial \- {_text(cli.get_short_help_str(200)).rstrip('.')}",
        ".SH SYNOPSIS",
        *_usage(root),
        ".SH DESCRIPTION",
        *_prose(cli.help or ""),
    ]
    for context in _commands(root):
        command = context.command
        lines += [f".SH {_text(context.command_path).upper()}", *_usage(context), *_prose(command.help or "")]
        for parameter in command.params:
            record = parameter.get_help_record(context)
            if record and record[1]:
                lines += [".TP", rf"\fB{_text(record[0])}\fR", _line(record[1])]
        # Not asked of the command: it keeps the names of the first context that anybody made for it.
        lines += [".TP", r"\fB\-h, \-\-help\fR", "Show this message and exit."]
    return "\n".join(lines) + "\n"


def _commands(context: click.Context) -> Iterator[click.Context]:
    """Every command below a group, those of groups after their group."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, parent=context, info_name=name)
        yield below
        if isinstance(command, click.Group):
            yield from _commands(below)


def _usage(context: click.Context) -> list[str]:
    return [
        ".PP",
        rf"\fB{_text(context.command_path)}\fR {_text(' '.join(context.command.collect_usage_pieces(context)))}",
    ]


def _prose(text: str) -> list[str]:
    """Paragraphs; click's mark for text that keeps its lines is taken as the wish for a paragraph of its own."""
    shown = [" ".join(part.replace("\b", "").split()) for part in _PARAGRAPH.split(text)]
    return [line for part in shown if part for line in (".PP", _line(part))]


def _line(text: str) -> str:
    """A line of text that is never taken for an order."""
    plain = _text(" ".join(text.split())) or r"\&"
    return rf"\&{plain}" if plain[0] in ".'" else plain


def _text(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-")
