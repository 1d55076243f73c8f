"""Puts every case of a split before the real judge container and returns its contrasts and marks."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from pairs import Case, cases

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.judge import JudgeItem, judge_request, prompt_digests, read_verdicts, request_files
from harness.sandbox import (
    Mount,
    Profile,
    connect,
    effective_limits,
    output_store,
    run_container,
    seccomp_text,
    take_file,
)

PROFILE = "small"
_OUTPUT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One case with its contrast (nats a token) and mark in every text dimension of its task."""

    case: Case
    values: dict[str, float]
    marks: dict[str, int]


def measure(split: str) -> list[Measured]:
    """Judge the split. Raises SystemExit when an item failed: nothing is reported on the rest alone."""
    challenge = load_challenge()
    judge = ensure_judge(challenge, challenge.judges[PROFILE], progress=lambda text: print(f"judge: {text}"))
    requests = {case: _request(case, challenge, judge) for case in cases(split)}
    verdicts = _ask(list(requests.values()), judge, challenge)
    found = []
    for case, request in requests.items():
        verdict = verdicts[request.item, request.sample]
        if verdict.scores is None:
            raise SystemExit(f"{case.situation} {case.task} {case.kind}: {verdict.reasons}")
        values = {name: float(verdict.evidence[f"contrast.{name}"]) for name in verdict.scores}
        found.append(Measured(case, values, verdict.scores))
    return found


def _request(case: Case, challenge: Challenge, judge: JudgeImage) -> JudgeRequest:
    *before, (emotion, user) = case.turns
    context = [ContextTurn(number, text, label, "…") for number, (label, text) in enumerate(before, 1)]
    context.append(ContextTurn(len(case.turns), user, emotion, case.reply))
    dimensions = challenge.tasks[case.task].dimension_ids("text")
    return judge_request(JudgeItem(case.task, case.language, tuple(context), dimensions), challenge, judge.fingerprint)


def _ask(requests: list[JudgeRequest], judge: JudgeImage, challenge: Challenge) -> dict[tuple[str, int], Verdict]:
    engine = connect()
    limits, _ = effective_limits(challenge.run_limits, engine.host())
    limits = replace(limits, output_bytes=_OUTPUT_BYTES, output_inodes=64)
    with tempfile.TemporaryDirectory(prefix="humdial-calibration-") as scratch:
        folder = Path(scratch) / "requests"
        folder.mkdir()
        for name, data in request_files(requests, challenge, challenge.judges[PROFILE], prompt_digests()).items():
            (folder / name).write_bytes(data)
        with output_store(Path(scratch) / "verdicts", limits.output_bytes, limits.output_inodes) as store:
            mounts = (Mount(folder, "/requests"), Mount(judge.weights, "/weights"), Mount(store.path, "/output", False))
            profile = Profile(
                role="judge",
                nonce=secrets.token_hex(8),
                limits=limits,
                mounts=mounts,
                environment=(("HOME", "/tmp"),),
                seccomp=seccomp_text(),
                user_id=store.user_id,
            )
            log = Path(scratch) / "judge.log"
            run_container(engine, profile, judge.image_id, deadline_s=limits.wall_s, log_path=log)
            raw = take_file(store.path, "verdicts.jsonl", _OUTPUT_BYTES) or b""
        if not raw:
            raise SystemExit(log.read_text("utf-8", "replace")[-2000:])
    return read_verdicts(raw, requests, challenge)
