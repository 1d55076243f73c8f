"""`humdial completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    For bash: humdial completion bash > ~/.local/share/bash-completion/completions/humdial
    """
    from click.shell_completion import BashComplete, get_completion_class

    from harness.cli.main import cli

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    complete = made(cli, {}, "humdial", "_HUMDIAL_COMPLETE")
    # BashComplete.source() starts the bash of this machine to look at its version; the script may be for another.
    source = (
        complete.source_template % complete.source_vars() if isinstance(complete, BashComplete) else complete.source()
    )
    click.echo(source)
