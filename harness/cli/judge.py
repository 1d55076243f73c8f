"""`humdial judge build|verify|show`: the judge image and its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import options
from harness.cli.console import note

if TYPE_CHECKING:
    from harness.challenge.spec import Challenge, JudgeProfile

_PROFILE = click.argument("profile", default="small")
_SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group(name="judge", context_settings=_SETTINGS)
def command() -> None:
    """Build, check or show the judge of PROFILE (default: small, the embedded one)."""


@command.command(context_settings=_SETTINGS)
@_PROFILE
@click.option("--again", is_flag=True, help="Build even when nothing has changed.")
@options.prompts_option
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The checkpoint folder of a profile that brings none, for instance qwen3-omni.",
)
@click.option("--image", help="Stand on this image that the engine has, built with Dockerfile.judge or on vLLM's own.")
@options.challenge_option
@options.output_option
@options.quiet_option
def build(
    profile: str,
    again: bool,
    weights: Path | None,
    image: str | None,
    challenge_name: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Make the judge image and its weights when they are missing or out of date; print the image's id."""
    from harness.evaluation.judge_given import use_image
    from harness.evaluation.judge_image import ensure_judge, judge_folder, use_weights
    from harness.evaluation.judge_lock import LOCK

    challenge, chosen = _chosen(challenge_name, profile)
    if weights is not None:
        use_weights(chosen, weights)
    if again:
        (judge_folder(profile) / LOCK).unlink(missing_ok=True)
    if image is not None:
        use_image(chosen, image, judge_folder(profile))
    judge = ensure_judge(challenge, chosen, progress=lambda text: note(f"judge: {text}", quiet=quiet))
    options.emit(f"{judge.image_id}\n".encode(), output)


@command.command(context_settings=_SETTINGS)
@_PROFILE
@options.prompts_option
@click.option(
    "--lock",
    "reference",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The lock.json that the organisers published: this judge must be the same.",
)
@options.challenge_option
@click.pass_context
def verify(ctx: click.Context, profile: str, reference: Path | None, challenge_name: str) -> None:
    """Recompute the digests of image, weights, prompts and settings and hold them against the lock. Exit 1 on any
    difference."""
    from harness.evaluation.judge_image import verify_judge

    _, chosen = _chosen(challenge_name, profile)
    problems = verify_judge(profile, chosen, reference)
    for problem in problems:
        click.echo(problem)
    if not problems:
        click.echo(f"the judge {profile} is what its lock says")
    ctx.exit(1 if problems else 0)


@command.command(context_settings=_SETTINGS)
@_PROFILE
@options.prompts_option
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
def show(profile: str, challenge_name: str, format_: str, output: Path | None) -> None:
    """Print the judge's fingerprint and what it stands on."""
    from harness.documents.codec import pretty_json
    from harness.evaluation.judge_image import show_judge

    challenge, chosen = _chosen(challenge_name, profile)
    judge = show_judge(challenge, chosen)
    inputs = judge.fingerprint_inputs
    if format_ == "json":
        made = {"made": judge.lock.made, "wheels": judge.lock.wheels, "revision": judge.lock.revision}
        document = {"fingerprint": judge.fingerprint, "official": chosen.official, **inputs, **made}
        options.emit(pretty_json(document), output)
        return
    lines = [
        f"judge        {profile} ({_standing(chosen)})",
        f"model        {chosen.model}",
        f"fingerprint  {judge.fingerprint}",
        f"image        {judge.image_id} ({judge.lock.made})",
        *(f"version      {name} {value}" for name, value in inputs["versions"].items()),
        *(f"weights      {name} {value}" for name, value in inputs["weights"].items()),
        *(f"prompt       {name} {value}" for name, value in inputs["prompts"].items()),
        f"not judged   {', '.join(chosen.not_judged) or 'nothing'}",
    ]
    options.emit(("\n".join(lines) + "\n").encode(), output)


def _standing(profile: JudgeProfile) -> str:
    if profile.canaries_provisional:
        return "not official: the bands of its known-answer items are provisional; calibration/bands.py sets them"
    return "official" if profile.official else "not official"


def _chosen(challenge_name: str, profile: str) -> tuple[Challenge, JudgeProfile]:
    from harness.challenge.load import load_challenge
    from harness.errors import UsageError
    from harness.judge.prompts import check_prompts

    challenge = load_challenge(challenge_name)
    check_prompts(challenge)
    if profile not in challenge.judges:
        raise UsageError(
            f"the challenge {challenge.id} has no judge profile {profile!r}",
            code="E_CONFIG",
            hint=f"pass one of: {', '.join(sorted(challenge.judges))}",
        )
    return challenge, challenge.judges[profile]
