"""`humdial score`: one validated submission to a score report, through the judge container."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.spec import Challenge, JudgeProfile, Policy
from harness.documents.codec import jsonl, pretty_json, read_document, to_plain, write_atomic
from harness.documents.finding import ValidationReport
from harness.documents.report import JudgeRef, ScoredItem, ScoreReport
from harness.documents.run_record import RunRecord
from harness.errors import UsageError
from harness.evaluation.judge_replay import Replay, open_replay
from harness.evaluation.judge_server import ENGINE as SERVER
from harness.evaluation.judge_server import Server, check_server, server_profile
from harness.evaluation.judging import Judging, judge_items, replay_items, serve_items
from harness.evaluation.review import review_counts, review_list
from harness.evaluation.run import RECORD, SUBMISSION, VALIDATION, usable_references
from harness.scoring import (
    evidence_summary,
    judged_means,
    plan_items,
    plan_unranked,
    recognition,
    score_items,
    score_report,
)
from harness.submission import check

REPORT = "report.json"
ITEMS = "items.jsonl"
VERDICTS = "verdicts.jsonl"
FINGERPRINT = "fingerprint.json"
REVIEW = "review.jsonl"
REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What a caller of `humdial score` may choose. ``policy`` and ``profile`` are names in the challenge spec; beside
    those, the profile ``replay`` takes the verdicts of an earlier scoring, and ``openai`` asks ``server``."""

    profile: str
    policy: str
    team: str | None = None
    track: str | None = None
    late: bool = False
    baseline: bool = False
    fresh: bool = False
    verdicts: Path | None = None
    server: Server | None = None


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """``report`` is None when the submission is invalid: then nothing was judged."""

    validation: ValidationReport
    report: ScoreReport | None


def score_submission(
    subject: Path,
    references: Path,
    out: Path,
    challenge: Challenge,
    options: ScoreOptions,
    progress: Callable[[str], None],
) -> ScoreResult:
    """Validate, judge, score; leave validation.json, verdicts.jsonl, items.jsonl, review.jsonl,
    fingerprint.json and report.json.

    Raises UsageError for broken references or an unknown profile, MachineError when the judge or the machine fails.
    """
    source, policy = _choices(challenge, options)
    profile = source.profile if isinstance(source, Replay) else source
    gold = usable_references(references, challenge, need_labels=True)
    for name in (REPORT, ITEMS, VERDICTS, FINGERPRINT, REVIEW, VALIDATION):
        (out / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="humdial-score-") as scratch:
        work = Path(scratch)
        outcome = check(
            subject,
            challenge,
            expected=gold.dialogues,
            track=options.track,
            team=options.team,
            policy=policy.id,
            from_image=was_collected(subject),
            work=work,
        )
        write_atomic(out / VALIDATION, pretty_json(to_plain(outcome.report)))
        if not outcome.report.valid or outcome.submission is None or outcome.root is None:
            return ScoreResult(outcome.report, None)
        submission = outcome.submission
        if options.team and submission.team != options.team:
            submission = replace(submission, team=options.team)
        plan = plan_items(gold.dialogues, submission, challenge, policy, gold.layout, profile)
        beside = plan_unranked(gold.dialogues, submission, challenge, policy, gold.layout, profile)
        everything = replace(plan, dialogues=(*plan.dialogues, *beside.dialogues))
        if isinstance(source, Replay):
            judging = replay_items(everything, outcome.root, challenge, source, work)
        elif options.server is not None and profile.engine == SERVER:
            judging = serve_items(everything, outcome.root, challenge, profile, options.server, work, progress)
        else:
            judging = judge_items(everything, outcome.root, challenge, profile, work, progress, fresh=options.fresh)
        items = score_items(plan, judging.verdicts, judging.flags)
    judge = JudgeRef(profile.id, judging.fingerprint, profile.official, profile.not_judged)
    report = score_report(items, submission, challenge, policy, judge, late=options.late, baseline=options.baseline)
    report = replace(
        report,
        evidence=(
            *evidence_summary(judging.verdicts),
            *recognition(gold.dialogues, submission, challenge),
            *judged_means(score_items(beside, judging.verdicts)),
        ),
        review=review_counts(items),
        canaries=judging.canaries,
    )
    write_atomic(out / REVIEW, jsonl(review_list(plan, items, judging.verdicts)))
    _write(out, report, items, judging)
    return ScoreResult(outcome.report, report)


def _choices(challenge: Challenge, options: ScoreOptions) -> tuple[JudgeProfile | Replay, Policy]:
    policy = challenge.policies[options.policy]
    if (options.verdicts is not None) != (options.profile == REPLAY):
        raise UsageError(
            "the judge replay and the option --verdicts go together",
            code="E_CONFIG",
            hint="--judge replay --verdicts FOLDER, the folder that an earlier `humdial score --out` wrote",
        )
    if options.verdicts is not None:
        return open_replay(options.verdicts, challenge), policy
    if (options.server is not None) != (options.profile == SERVER):
        raise UsageError(
            "the judge openai and the options --judge-url and --judge-model go together",
            code="E_CONFIG",
            hint="--judge openai --judge-url http://127.0.0.1:8000/v1 --judge-model NAME",
        )
    if options.server is not None:
        check_server(options.server)
        return server_profile(options.server.model, challenge), policy
    if options.profile not in challenge.judges:
        raise UsageError(
            f"the challenge {challenge.id} has no judge profile {options.profile!r}",
            code="E_CONFIG",
            hint=f"pass one of: {', '.join(sorted(challenge.judges))}, {REPLAY}, {SERVER}",
        )
    return challenge.judges[options.profile], policy


def _write(out: Path, report: ScoreReport, items: tuple[ScoredItem, ...], judging: Judging) -> None:
    """The report goes last: where it is, everything it stands on is there too."""
    write_atomic(out / VERDICTS, jsonl([to_plain(verdict) for verdict in judging.ordered()]))
    write_atomic(out / FINGERPRINT, pretty_json(judging.fingerprint_inputs))
    write_atomic(out / ITEMS, jsonl([to_plain(item) for item in items]))
    write_atomic(out / REPORT, pretty_json(to_plain(report)))


def was_collected(subject: Path) -> bool:
    """Whether ``subject`` is what the harness collected from an image: the run record beside it, which a team cannot
    write, lists exactly its files with their hashes."""
    record_path = subject.parent / RECORD
    if subject.name != SUBMISSION or not subject.is_dir() or not record_path.is_file():
        return False
    record = read_document(RunRecord, record_path)
    present = {str(path.relative_to(subject)): path for path in subject.rglob("*") if not path.is_dir()}
    listed = {output.path: output.sha256.removeprefix("sha256:") for output in record.outputs}
    return set(present) == set(listed) and all(_sha256(path) == listed[name] for name, path in present.items())


def _sha256(path: Path) -> str:
    if path.is_symlink():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
