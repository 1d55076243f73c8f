"""`humdial challenge`: the effective spec, and a check of one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.challenge.spec import Challenge, Task, Track

_HELP = {"help_option_names": ["-h", "--help"]}
_spec = click.argument("spec", required=False)


@click.group(name="challenge", context_settings=_HELP)
def command() -> None:
    """Show or check a challenge spec. SPEC is a built-in challenge's id or a TOML file."""


@command.command(context_settings=_HELP)
@_spec
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
def show(spec: str | None, challenge_name: str, format_: str, output: Path | None) -> None:
    """Print the effective spec: what is asked, on which scales, with which weights and limits."""
    from harness.challenge.load import load_challenge
    from harness.documents.codec import pretty_json

    challenge = load_challenge(spec or challenge_name)
    data = pretty_json(effective_spec(challenge)) if format_ == "json" else _text(challenge).encode()
    options.emit(data, output)


@command.command(context_settings=_HELP)
@_spec
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
def check(spec: str | None, challenge_name: str, format_: str, output: Path | None) -> None:
    """Check a spec: exit 0 when it holds together, 2 with everything that is wrong."""
    from harness.challenge.load import load_challenge
    from harness.documents.codec import pretty_json

    challenge = load_challenge(spec or challenge_name)
    if format_ == "json":
        data = pretty_json({"id": challenge.id, "digest": challenge.digest, "valid": True})
    else:
        data = f"{challenge.id} is a valid challenge spec, {challenge.digest}\n".encode()
    options.emit(data, output)


def effective_spec(challenge: Challenge) -> dict[str, Any]:
    """The challenge as plain JSON values; exact fractions stay texts."""
    from dataclasses import asdict

    plain: dict[str, Any] = _plain(asdict(challenge))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Fraction) else value


def _text(challenge: Challenge) -> str:
    lines = [
        f"{challenge.id}: {challenge.title}",
        f"digest     {challenge.digest}",
        f"languages  {', '.join(challenge.languages)}",
        f"emotions   {', '.join(challenge.emotions)} (neutral: {challenge.neutral_emotion})",
        f"deadline   {challenge.deadline}, at most {challenge.max_attempts} attempts",
        f"layouts    {', '.join(challenge.layouts)}",
        f"policies   {', '.join(challenge.policies)}",
        f"judges     {', '.join(challenge.judges) or 'none'}",
    ]
    for track in challenge.tracks.values():
        lines += ["", f"{track.id}: {track.title} ({track.kind})", *_track_lines(track)]
        lines += [line for task in challenge.tasks_of(track.id) for line in _task_lines(task)]
    return "\n".join(lines) + "\n"


def _track_lines(track: Track) -> list[str]:
    lines = []
    if track.terms:
        lines.append("  final      " + " + ".join(f"{weight}·{term}" for term, weight in track.terms.items()))
        lines.append("  languages  " + " + ".join(f"{w}·{language}" for language, w in track.language_weights.items()))
    for phase, human in track.human.items():
        lines.append(
            f"  phase {phase}: " + (f"human raters score {', '.join(human)}" if human else "the judge scores all")
        )
    return lines


def _task_lines(task: Task) -> list[str]:
    if not task.ranked:
        return [f"  {task.id}: {task.title} (not ranked)"]
    scale = "/".join(str(mark) for mark in task.scale)
    lines = [f"  {task.id}: {task.title}; reply {task.reply}, evaluated turn {task.evaluated_turn}, scale {scale}"]
    return lines + [f"    {dimension.id} ({dimension.modality})" for dimension in task.dimensions]
