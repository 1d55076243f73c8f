"""The built judge, and one way to ask it: the real image, the real weights, the sandbox's own profile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import jsonl, to_plain
from harness.documents.verdict import JudgeRequest
from harness.evaluation.judge_container import judge_run
from harness.evaluation.judge_image import JudgeImage
from harness.judge import prompt_digests, request_files
from harness.sandbox import ContainerOutcome, connect

Answer = tuple[ContainerOutcome, bytes, bytes, str]  # how it went, verdicts.jsonl, fingerprint.json, its log
Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def ask(judge: JudgeImage, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """``ask(requests, audio={name: file}, files={name: bytes})``: one run of the judge container."""
    challenge = load_challenge()

    def run(
        requests: Sequence[JudgeRequest],
        audio: dict[str, Path] | None = None,
        files: dict[str, bytes] | None = None,
        order: str = "by item",
    ) -> Answer:
        work = tmp_path_factory.mktemp("ask")
        folder = work / "requests"
        (folder / "audio").mkdir(parents=True)
        made = request_files(requests, challenge, challenge.judges["small"], prompt_digests())
        if order == "given":
            made["requests.jsonl"] = jsonl([to_plain(request) for request in requests])
        for name, data in (made | (files or {})).items():
            (folder / name).write_bytes(data)
        for name, source in (audio or {}).items():
            shutil.copyfile(source, folder / name)
        folders = {"/requests": folder, "/weights": judge.weights}
        with judge_run(
            connect(), judge.image_id, folders, work, challenge.run_limits, output_bytes=16 << 20, deadline_s=1500
        ) as done:
            verdicts, fingerprint = (done.take(name) or b"" for name in ("verdicts.jsonl", "fingerprint.json"))
            return done.outcome, verdicts, fingerprint, done.said()

    return run
