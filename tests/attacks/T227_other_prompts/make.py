"""Tables of calibration/attacks.py: with the prompts of today, of another day, and without some."""

from __future__ import annotations

from pathlib import Path
from random import Random

from injected import put

from harness.judge import prompt_digests


def make(subjects: Path, random: Random) -> None:
    now = prompt_digests()
    changed = {**now, min(now): "sha256:" + "0" * 64}
    for name, digests in {
        "current": now,
        "stale_changed": changed,
        "stale_partly": dict(list(now.items())[1:]),
    }.items():
        put(subjects, name, "\n".join(f"prompt {file} {digest}" for file, digest in digests.items()))
