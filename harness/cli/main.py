"""The `humdial` group and its one error handler. Commands load when they are called, so that `--help` is quick."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click

from harness import __version__
from harness.cli.console import deafen, say
from harness.errors import HarnessError, MachineError

EXIT_BUG = 70
_LAST_STREAM = 2
# name: (module:attribute, what `humdial --help` says)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("harness.cli.init:command", "Write a participant's starter kit."),
    "validate": ("harness.cli.validate:command", "Check folders or archives of a team; all problems at once."),
    "gate": ("harness.cli.gate:command", "May a pull request with a submission be looked at?"),
    "run": ("harness.cli.run:command", "Run a team image on inputs with no network and collect its outputs."),
    "precheck": ("harness.cli.precheck:command", "Try an image on the dev set: will it do on the hidden set?"),
    "score": ("harness.cli.score:command", "Judge and score one validated submission."),
    "evaluate": ("harness.cli.evaluate:command", "Evaluate a whole challenge; run again to resume."),
    "verify": ("harness.cli.verify:command", "Does a run still say what its parts give?"),
    "rescore": ("harness.cli.rescore:command", "Score a run again from its stored verdicts."),
    "attest": ("harness.cli.attest:command", "Sign a run's results with your key."),
    "ratings": ("harness.cli.ratings:command", "Check and import human ratings; write the page for raters."),
    "leaderboard": ("harness.cli.leaderboard:command", "Tabulate score reports."),
    "report": ("harness.cli.report:command", "Write the results as one offline HTML page."),
    "duplex": ("harness.cli.duplex:command", "Track 2: timing of pairs, clean inputs."),
    "convert": ("harness.cli.convert:command", "Training dialogues to a baseline's fine-tuning format."),
    "judge": ("harness.cli.judge:command", "Build, check or show the judge."),
    "challenge": ("harness.cli.challenge:command", "Show or check a challenge spec."),
    "schema": ("harness.cli.schema:command", "List or show the JSON Schemas."),
    "doctor": ("harness.cli.doctor:command", "Is this machine ready to run images of strangers?"),
    "clean": ("harness.cli.clean:command", "Remove what killed runs left."),
    "completion": ("harness.cli.completion:command", "Print the completion script of a shell."),
    "explain": ("harness.cli.explain:command", "Explain a code, with a bad and a good example."),
}


class LazyGroup(click.Group):
    """Lists its commands from a table and imports a command's module only when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but a mistyped name gets the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """What decides a result: the harness, the built-in challenge with its digest, the schemas."""
    if not wanted or context.resilient_parsing:
        return
    from harness.challenge.load import load_challenge
    from harness.resources import data_dir

    challenge = load_challenge("humdial-2026")
    schemas = Counter(path.name.partition(".")[0] for path in data_dir("schemas").glob("*/v*.schema.json"))
    counted = ", ".join(f"{count} of {version}" for version, count in sorted(schemas.items()))
    click.echo(f"humdial, version {__version__}")
    click.echo(f"challenge {challenge.id} {challenge.digest}")
    click.echo(f"schemas {counted}")
    context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the versions."
)
def cli() -> None:
    """The evaluation harness of the HumDial challenge.

    Results go to stdout, everything else to stderr. Exit codes: 0 yes, 1 no, 2 usage, 3 the machine or our side,
    70 a bug.
    """


def run() -> None:
    """The console script: `cli`, with every ending turned into its exit code and never a traceback."""
    _open_streams()
    signal.signal(signal.SIGTERM, _on_sigterm)
    sys.exit(_guarded())


def _open_streams() -> None:
    """A stream that the caller closed leads nowhere; else the next file that is opened would take its place."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        pass
    os.close(number)
    for place, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(place, "w" if place else "r", encoding="utf-8", closefd=False))


def _guarded() -> int:
    try:
        result = cli.main(standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        # click turns both signals into Abort.
        terminated = isinstance(error, Terminated) or isinstance(error.__cause__, Terminated)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending: one more would only show where
        if "multiprocessing" in sys.modules:  # who did not end in time would be waited for without an end
            for child in sys.modules["multiprocessing"].active_children():
                child.kill()
        say("terminated" if terminated else "interrupted")
        return 143 if terminated else 130
    except click.ClickException as error:
        with suppress(OSError):
            error.show(file=sys.stderr)
        return error.exit_code
    except HarnessError as error:
        _show(error)
        return error.exit_code
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        deafen(sys.stdout)  # click ends with 1 then, which would mean no
        return 0
    except BrokenPipeError:
        deafen(sys.stdout)
        return 0
    except Exception as error:  # noqa: BLE001 - the one place that turns a bug into a short text and a report
        if not isinstance(error, OSError) or error.errno != errno.ENOSPC:
            return _report_bug()
        deafen(sys.stdout)
        _show(MachineError("the disk that this writes to is full", code="I_DISK", hint="free space, then run it again"))
        return MachineError.exit_code
    return code


def _show(error: HarnessError) -> None:
    say(f"error: {error}")
    if error.hint:
        say(f"  hint: {error.hint}")
    say(f"  [{error.code}]")
    if error.detail and os.environ.get("HUMDIAL_DEBUG"):
        say(error.detail)


def _report_bug() -> int:
    handle, path = tempfile.mkstemp(prefix="humdial-crash-", suffix=".txt")
    os.close(handle)
    Path(path).write_text(f"humdial {__version__}, Python {sys.version}\n\n{traceback.format_exc()}", "utf-8")
    say("error: this is a bug in humdial, not in your files")
    say(f"  hint: please report it with {path}")
    return EXIT_BUG


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised like Ctrl-C so that containers are stopped on the way out."""


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    raise Terminated
