"""A challenge whose judge ``tiny`` is the official engine on random weights: marks without meaning."""

from __future__ import annotations

import hashlib
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.verdict import ContextTurn, JudgeRequest
from harness.judge import JudgeItem, judge_request

SETTINGS: dict[str, Any] = {
    "dtype": "float32",
    "rows": 4,
    "context_tokens": 4096,
    "reasons": True,
    "decoding": {
        "strict": {"method": "skeleton", "max_tokens": 1024},
        "published": {"method": "sample", "temperature": 0.6, "top_p": 0.95, "top_k": 20, "max_tokens": 24},
    },
}


def tiny_challenge(**settings: Any) -> Challenge:
    """The built-in challenge with the profile ``tiny``; ``settings`` replace some of its own."""
    challenge = load_challenge()
    profile = JudgeProfile("tiny", False, "transformers", "random weights", (), SETTINGS | settings)
    return replace(challenge, judges={**challenge.judges, "tiny": profile})


def tiny_request(
    challenge: Challenge, reply: str, task: str = "task2", *, audio: str | None = None, reading: str = "strict"
) -> JudgeRequest:
    """A three-turn item; ``audio`` is the digest of a canonical WAV."""
    context = (
        ContextTurn(1, "I lost my keys.", "sad", "Oh no."),
        ContextTurn(2, "A neighbour had them.", "happy", "How kind."),
        ContextTurn(3, "How did my feelings change?", "surprise", reply),
    )
    item = JudgeItem(task, "en", context, challenge.tasks[task].dimension_ids(), audio)
    return judge_request(item, challenge, "sha256:" + "0" * 64, reading=reading)


def noise(folder: Path, seconds: float) -> Path:
    """A canonical WAV of noise under its own digest."""
    samples = np.random.default_rng(1).normal(0, 3000, int(seconds * 16000)).astype("<i2")
    path = folder / "noise.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, 16000, 0, "NONE", ""))
        wav.writeframes(samples.tobytes())
    return path.rename(folder / f"{hashlib.sha256(path.read_bytes()).hexdigest()}.wav")
