"""`humdial score`: one submission through the judge to a score report."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import options


@click.command(name="score", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("submission", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--references",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The organisers' dialogues with text and emotion.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Where report.json, items.jsonl and verdicts.jsonl go.",
)
@click.option(
    "--judge",
    "profile",
    default="small",
    show_default=True,
    metavar="PROFILE",
    help="Which judge; see `humdial judge show`. `replay` and `openai` take the options below.",
)
@click.option(
    "--verdicts",
    type=click.Path(path_type=Path, exists=True),
    help="With --judge replay: the folder that an earlier `score --out` wrote, or its verdicts.jsonl.",
)
@click.option("--judge-url", metavar="URL", help="With --judge openai: a server of yours, http://…/v1; never official.")
@click.option("--judge-model", metavar="NAME", help="With --judge openai: the model to ask for.")
@click.option("--policy", type=click.Choice(["strict", "published"]), default="strict", show_default=True)
@click.option("--team", metavar="ID", help="The team's id, when the submission does not say it.")
@click.option("--track", metavar="TRACK", help="The track, when the submission does not say it.")
@click.option("--late", is_flag=True, help="Handed in after the deadline: shown without a rank.")
@click.option("--fresh", is_flag=True, help="Judge again even what this judge has judged before.")
@click.option(
    "--transcripts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Track 2: ready transcripts, named like the outputs.",
)
@click.option(
    "--labels", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Track 2: ready behaviour labels."
)
@options.delay_option
@options.recogniser_option
@click.option(
    "--recogniser-weights",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Track 2: the weights of a recogniser that comes in no package, a folder a language.",
)
@click.option("--baseline", is_flag=True, help="This is the organisers' baseline.")
@options.prompts_option
@options.challenge_option
@options.format_option("text", "json")
@options.output_option
@options.color_option
@options.quiet_option
def command(
    submission: Path,
    references: Path,
    out: Path,
    profile: str,
    verdicts: Path | None,
    judge_url: str | None,
    judge_model: str | None,
    policy: str,
    team: str | None,
    track: str | None,
    late: bool,
    transcripts: Path | None,
    labels: Path | None,
    delay_from: str,
    recogniser: str,
    recogniser_weights: Path | None,
    baseline: bool,
    fresh: bool,
    challenge_name: str,
    format_: str,
    output: Path | None,
    color: str,
    quiet: bool,
) -> None:
    """Judge and score one SUBMISSION (a folder, an archive, or what `humdial run` collected).

    Exit 0 with a report, 1 when the submission is invalid (its findings are printed, no report is written),
    3 when the judge or the machine failed: run the same command again.
    """
    import os

    from harness.challenge.load import load_challenge
    from harness.cli.console import note, wants_color
    from harness.documents.codec import pretty_json, to_plain
    from harness.evaluation.judge_server import KEY_VARIABLE, Server
    from harness.evaluation.score import ScoreOptions, score_submission
    from harness.evaluation.score_pairs import PairOptions, score_pairs
    from harness.judge.prompts import check_prompts
    from harness.reporting.score import score_text
    from harness.reporting.validation import render
    from harness.submission import has_pairs

    challenge = load_challenge(challenge_name)
    check_prompts(challenge)
    asked = judge_url is not None or judge_model is not None
    server = Server(judge_url or "", judge_model or "", os.environ.get(KEY_VARIABLE, "")) if asked else None
    settings = ScoreOptions(profile, policy, team, track, late, baseline, fresh, verdicts, server)

    def progress(text: str) -> None:
        note(text, quiet=quiet)

    if challenge.duplex is not None and (track == challenge.duplex.track or has_pairs(references, challenge)):
        writes = None if recogniser == "none" else recogniser
        pairs = PairOptions(transcripts, labels, delay_from, writes, recogniser_weights)
        result = score_pairs(submission, references, out, challenge, challenge.duplex, settings, pairs, progress)
    else:
        result = score_submission(submission, references, out, challenge, settings, progress=progress)
    context = click.get_current_context()
    if result.report is None:
        options.emit(render(result.validation, format_, color=wants_color(color)), output)
        context.exit(1)
    if format_ == "json":
        options.emit(pretty_json(to_plain(result.report)), output)
    else:
        options.emit(score_text(result.report).encode(), output)
    passed = result.report.canaries is None or result.report.canaries.passed
    context.exit(0 if result.report.complete and passed else 3)
