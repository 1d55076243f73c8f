"""`humdial schema`: the JSON Schemas of every document, for participants in any language."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.group(name="schema", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List or show the JSON Schemas (2020-12)."""


@command.command(name="list")
@options.format_option("text", "json")
@options.output_option
def list_(format_: str, output: Path | None) -> None:
    """Every document kind with its newest version and title."""
    import json

    from harness.documents.codec import pretty_json

    rows = [(path.parent.name, path.name.split(".")[0], json.loads(path.read_text("utf-8"))) for path in _paths()]
    listing = [{"document": name, "version": version, "title": schema["title"]} for name, version, schema in rows]
    text = "".join(f"{row['document']:<20} {row['version']:<4} {row['title']}\n" for row in listing)
    options.emit(pretty_json(listing) if format_ == "json" else text.encode(), output)


@command.command(name="show")
@click.argument("document")
@options.output_option
def show(document: str, output: Path | None) -> None:
    """The schema of one DOCUMENT, as listed."""
    from harness.errors import UsageError

    found = {path.parent.name: path for path in _paths()}
    if document not in found:
        raise UsageError(
            f"there is no schema of {document!r}", code="E_USAGE", hint=f"one of: {', '.join(sorted(found))}"
        )
    options.emit(found[document].read_bytes(), output)


def _paths() -> list[Path]:
    from harness.resources import data_dir

    return sorted(data_dir("schemas").glob("*/v*.schema.json"))
