"""`humdial schema`: the public JSON Schemas."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options

_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(name="schema", context_settings=_HELP)
def command() -> None:
    """List or show the JSON Schemas of every document."""


@command.command(name="list", context_settings=_HELP)
@options.format_option("text", "json")
@options.output_option
def list_(format_: str, output: Path | None) -> None:
    """List the documents and what they are."""
    import json

    from harness.documents.codec import pretty_json
    from harness.resources import schema_path

    titles = {name: json.loads(schema_path(name).read_text("utf-8")).get("title", "") for name in _names()}
    if format_ == "json":
        options.emit(pretty_json(titles), output)
        return
    width = max(len(name) for name in titles)
    options.emit("".join(f"{name:<{width}}  {title}\n" for name, title in titles.items()).encode(), output)


@command.command(context_settings=_HELP)
@click.argument("document")
@options.output_option
def show(document: str, output: Path | None) -> None:
    """Print the schema of one DOCUMENT."""
    from harness.errors import UsageError
    from harness.resources import schema_path

    if document not in _names():
        raise UsageError(
            f"there is no schema {document!r}", code="E_USAGE", hint=f"the documents are {', '.join(_names())}"
        )
    options.emit(schema_path(document).read_bytes(), output)


def _names() -> list[str]:
    from harness.resources import data_dir

    return sorted(path.parent.name for path in data_dir("schemas").glob("*/v1.schema.json"))
