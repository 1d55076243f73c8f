"""`humdial convert opens2s|osum`: dialogue JSONL to a baseline's fine-tuning format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.kit.training_rows import Tokenizer, TrainingDialogue

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_FILES = click.argument(
    "files", nargs=-1, required=True, metavar="IN...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
_OUT = click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="The JSONL to write."
)
_TOKENIZER = click.option(
    "--tokenizer", metavar="MODULE:FUNCTION", help="Speech tokens of a reply: a function of its WAV's path to numbers."
)
_UNITS = click.option(
    "--units",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Ready speech tokens instead: lines {"audio": path as in the data, "units": [numbers]}.',
)
_ROOT = click.option(
    "--audio-root",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="What goes before the audio paths; else the folder of each IN.",
)


@click.group(name="convert", context_settings=_SETTINGS)
def command() -> None:
    """Training dialogues to the fine-tuning rows of a baseline.

    IN are JSONL files of the train or dev set. Every turn is in its row once and in order; a dialogue that lacks a
    reply's text or a user's audio stops the conversion, and nothing is written.
    """


@command.command(context_settings=_SETTINGS)
@_FILES
@_OUT
@_TOKENIZER
@_UNITS
@_ROOT
@options.quiet_option
def opens2s(
    files: tuple[Path, ...], out: Path, tokenizer: str | None, units: Path | None, audio_root: Path | None, quiet: bool
) -> None:
    """Rows of OpenS2S: messages of user and assistant, with speech_units where there are tokens of a reply."""
    from harness.kit.training_rows import opens2s_row

    _convert(files, out, audio_root, quiet, _plugged(tokenizer, units, audio_root), opens2s_row)


@command.command(context_settings=_SETTINGS)
@_FILES
@_OUT
@_TOKENIZER
@_UNITS
@_ROOT
@click.option("--history", metavar="N", type=click.IntRange(0, 1000), help="Keep only the N latest earlier turns.")
@options.quiet_option
def osum(
    files: tuple[Path, ...],
    out: Path,
    tokenizer: str | None,
    units: Path | None,
    audio_root: Path | None,
    history: int | None,
    quiet: bool,
) -> None:
    """Rows of OSUM-EChat: the last turn in wav and txt, the earlier ones in wav_1, txt_1 and so on."""
    from harness.kit.training_rows import osum_row

    _convert(
        files, out, audio_root, quiet, _plugged(tokenizer, units, audio_root), lambda d, t: osum_row(d, t, history)
    )


def _convert(
    files: tuple[Path, ...],
    out: Path,
    audio_root: Path | None,
    quiet: bool,
    tokenizer_in: Callable[[Path], Tokenizer | None],
    row_of: Callable[[TrainingDialogue, Tokenizer | None], dict[str, Any]],
) -> None:
    from harness.cli.console import note
    from harness.documents.codec import write_atomic

    lines = []
    for file in files:
        folder = audio_root or file.parent
        tokenizer = tokenizer_in(folder)
        for dialogue in _dialogues(file):
            row = row_of(_placed(dialogue, folder), tokenizer)
            lines.append(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    write_atomic(out, "".join(lines).encode())
    note(f"{out}: {len(lines)} dialogues", quiet=quiet)


def _dialogues(file: Path) -> Iterator[TrainingDialogue]:
    from harness.kit.training_rows import training_dialogue

    for number, plain in _lines(file):
        yield training_dialogue(plain, f"{file.name} line {number}")


def _placed(dialogue: TrainingDialogue, folder: Path) -> TrainingDialogue:
    """With its audio below ``folder``."""
    from dataclasses import replace

    turns = tuple(
        replace(
            turn,
            user_audio=(folder / turn.user_audio).as_posix(),
            reply_audio=turn.reply_audio and (folder / turn.reply_audio).as_posix(),
        )
        for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns)


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", code="E_DOCUMENT", hint="check the file") from error
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{file.name} line {number} is not JSON: {error}", code="E_DOCUMENT", hint="one JSON object a line"
            ) from error


def _plugged(tokenizer: str | None, units: Path | None, audio_root: Path | None) -> Callable[[Path], Tokenizer | None]:
    """Of an IN's folder: the user's function, ready tokens, or None."""
    if tokenizer is not None and units is not None:
        raise click.UsageError("--tokenizer and --units exclude each other")
    if tokenizer is not None:
        function = _function(tokenizer)
        return lambda folder: function
    if units is None:
        return lambda folder: None
    ready = {plain["audio"]: plain["units"] for _, plain in _lines(units) if _is_units(plain, units)}

    def among(folder: Path) -> Tokenizer:
        known = {(folder / audio).as_posix(): found for audio, found in ready.items()}

        def look_up(path: str) -> list[int]:
            if path not in known:
                raise UsageError(f"{units.name} has no tokens of {path}", code="E_DOCUMENT", hint="add its line")
            found: list[int] = known[path]
            return found

        return look_up

    return among


def _is_units(plain: Any, units: Path) -> bool:
    found = plain.get("units") if isinstance(plain, dict) else None
    if isinstance(found, list) and all(type(unit) is int for unit in found) and isinstance(plain.get("audio"), str):
        return True
    raise UsageError(
        f'{units.name} holds a line that is not {{"audio": …, "units": [numbers]}}', code="E_DOCUMENT", hint="mend it"
    )


def _function(name: str) -> Tokenizer:
    """``module:function``, imported; modules of the working folder are found too."""
    import importlib
    import sys

    module, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise click.BadParameter(f"{name!a} cannot be imported: {error}", param_hint="--tokenizer") from error

    def call(path: str) -> list[int]:
        try:
            return [int(unit) for unit in found(path)]
        except HarnessError:
            raise
        except Exception as error:  # the user's own code raises what it likes
            raise UsageError(
                f"the tokenizer failed at {path}: {type(error).__name__}: {error}", code="E_USAGE", hint="mend it"
            ) from error

    return call
