"""`humdial explain`: what a code means, with a bad and a good example."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("code", required=False)
@options.format_option("text", "json")
@options.output_option
def command(code: str | None, format_: str, output: Path | None) -> None:
    """Explain CODE; without one, list every code with its title."""
    from harness.documents.codec import pretty_json, to_plain
    from harness.documents.codes import all_codes, lookup

    if code is None:
        entries = list(all_codes().values())
        listing = "".join(f"{entry.code:<22} {entry.severity:<8} {entry.title}\n" for entry in entries)
        options.emit(pretty_json(to_plain(entries)) if format_ == "json" else listing.encode(), output)
        return
    entry = lookup(code.strip().upper())
    shown = (
        f"{entry.code} ({entry.severity}): {entry.title}\n\n"
        f"says   {entry.message}\nfix    {entry.hint}\nbad    {entry.bad}\ngood   {entry.good}\n"
    )
    options.emit(pretty_json(to_plain(entry)) if format_ == "json" else shown.encode(), output)
