"""The built judge, and one way to ask it: the real image, the real weights, the sandbox's own profile."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.documents.verdict import JudgeRequest
from harness.evaluation.judge_image import JudgeImage
from harness.judge import prompt_digests, request_files
from harness.sandbox import (
    ContainerOutcome,
    Mount,
    Profile,
    connect,
    effective_limits,
    output_store,
    run_container,
    seccomp_text,
    take_file,
)

Answer = tuple[ContainerOutcome, bytes, bytes, str]  # how it went, verdicts.jsonl, fingerprint.json, its log
Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def ask(judge: JudgeImage, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """``ask(requests, audio={name: file}, settings=bytes)``: one run of the judge container."""
    challenge = load_challenge()
    engine = connect()
    limits, _ = effective_limits(challenge.run_limits, engine.host())
    limits = replace(limits, output_bytes=16 << 20, output_inodes=64)

    def run(
        requests: Sequence[JudgeRequest], audio: dict[str, Path] | None = None, files: dict[str, bytes] | None = None
    ) -> Answer:
        work = tmp_path_factory.mktemp("ask")
        folder = work / "requests"
        (folder / "audio").mkdir(parents=True)
        made = request_files(requests, challenge, challenge.judges["small"], prompt_digests())
        for name, data in (made | (files or {})).items():
            (folder / name).write_bytes(data)
        for name, source in (audio or {}).items():
            shutil.copyfile(source, folder / name)
        with output_store(work / "out", limits.output_bytes, limits.output_inodes) as store:
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
            outcome = run_container(engine, profile, judge.image_id, deadline_s=300, log_path=work / "log")
            verdicts, fingerprint = (
                take_file(store.path, name, 16 << 20) or b"" for name in ("verdicts.jsonl", "fingerprint.json")
            )
        return outcome, verdicts, fingerprint, (work / "log").read_text("utf-8", "replace")

    return run
