"""Puts every case of a split before the real judge container and returns its contrasts and marks."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pairs import Case, some_cases

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.evaluation.judge_container import judge_run
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.judge import JudgeItem, judge_request, prompt_digests, read_verdicts, request_files
from harness.sandbox import connect

PROFILE = "small"
_OUTPUT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One case with its contrast (nats a token) and mark in every text dimension of its task, and how surprising its
    least likely stretch of language is (nats a token)."""

    case: Case
    values: dict[str, float]
    marks: dict[str, int]
    surprise: float


def measure(split: str, left: argparse.Namespace) -> list[Measured]:
    """Judge the split. Raises SystemExit when an item failed: nothing is reported on the rest alone."""
    return list(measure_cases(some_cases(split, left)).values())


def measure_cases(some: Sequence[Case]) -> dict[Case, Measured]:
    """Judge these. Raises SystemExit when an item failed."""
    challenge = load_challenge()
    judge = ensure_judge(challenge, challenge.judges[PROFILE], progress=lambda text: print(f"judge: {text}"))
    requests = {case: _request(case, challenge, judge) for case in some}
    verdicts = _ask(list(requests.values()), judge, challenge)
    found = {}
    for case, request in requests.items():
        verdict = verdicts[request.item, request.sample]
        if verdict.scores is None:
            raise SystemExit(f"{case.situation} {case.task} {case.kind}: {verdict.reasons}")
        values = {name: float(verdict.evidence[f"contrast.{name}"]) for name in verdict.scores}
        marks = {name: mark for name, mark in verdict.scores.items() if isinstance(mark, int)}
        found[case] = Measured(case, values, marks, float(verdict.evidence.get("surprise", 0.0)))
    return found


def _request(case: Case, challenge: Challenge, judge: JudgeImage) -> JudgeRequest:
    *before, (emotion, user) = case.turns
    context = [ContextTurn(number, text, label, "…") for number, (label, text) in enumerate(before, 1)]
    context.append(ContextTurn(len(case.turns), user, emotion, case.reply))
    dimensions = challenge.tasks[case.task].dimension_ids("text")
    return judge_request(JudgeItem(case.task, case.language, tuple(context), dimensions), challenge, judge.fingerprint)


def _ask(requests: list[JudgeRequest], judge: JudgeImage, challenge: Challenge) -> dict[tuple[str, int], Verdict]:
    with tempfile.TemporaryDirectory(prefix="humdial-calibration-") as scratch:
        work = Path(scratch)
        folder = work / "requests"
        folder.mkdir()
        for name, data in request_files(requests, challenge, challenge.judges[PROFILE], prompt_digests()).items():
            (folder / name).write_bytes(data)
        limits = challenge.run_limits
        folders = {"/requests": folder, "/weights": judge.weights}
        with judge_run(
            connect(), judge.image_id, folders, work, limits, output_bytes=_OUTPUT_BYTES, deadline_s=limits.wall_s
        ) as run:
            raw = run.take("verdicts.jsonl")
            if not raw:
                raise SystemExit(run.said())
    return read_verdicts(raw, requests, challenge)
