"""`humdial explain`: one rule, or the list of all."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("code", required=False)
@options.format_option("text", "json")
@options.output_option
def command(code: str | None, format_: str, output: Path | None) -> None:
    """Explain CODE with a bad and a good example; without CODE list every code."""
    from harness.documents.codec import pretty_json, to_plain
    from harness.documents.codes import Code, all_codes, lookup

    chosen = [lookup(code.strip().upper())] if code else list(all_codes().values())
    if format_ == "json":
        plain = [to_plain(entry) for entry in chosen]
        options.emit(pretty_json(plain[0] if code else plain), output)
        return

    def explained(entry: Code) -> str:
        return (
            f"{entry.code}: {entry.title} ({entry.severity})\n\n  {entry.message}\n  {entry.hint}\n\n"
            f"  bad   {_shown(entry.bad)}\n  good  {_shown(entry.good)}\n"
        )

    width = max(len(entry.code) for entry in chosen)
    lines = [f"{entry.code:<{width}}  {entry.severity:<7}  {entry.title}\n" for entry in chosen]
    options.emit((explained(chosen[0]) if code else "".join(lines)).encode(), output)


def _shown(example: str) -> str:
    """An example on one line, with what cannot be seen escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in example
    )
