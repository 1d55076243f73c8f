"""Two teams and the inputs, with WAVs in common: the same bytes, the same samples behind another header, and none."""

from __future__ import annotations

import made
import pytest
from attack_audio import ours
from attack_case import Box, Seen
from made import chunk, fmt, riff

from harness.evaluation.likeness import HandIn, given_audio, run_flags
from harness.evaluation.run import usable_references


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    inputs = made.write(box.root / "inputs", made.inputs(audio=True))
    references = usable_references(inputs, made.CHALLENGE, need_labels=False)
    given = given_audio(references.dialogues, references.root, made.CHALLENGE, references.layout)
    one, other = made.wav(seed=900), made.wav(seed=901)
    users = min((inputs / "zh/task4").iterdir()).read_bytes()
    pairs = {
        "bytes": ([one], [one]),
        "header": ([one], [riff(fmt(), one[44:], chunk(b"LIST", b"INFO"))]),
        "users": ([one], [riff(fmt(), users[44:], chunk(b"LIST", b"INFO"))]),
        "none": ([one], [other]),
    }
    found = {}
    for name, teams in pairs.items():
        handed = [
            HandIn(team, team, {}, frozenset(_digest(data) for data in wavs))
            for team, wavs in zip(("alpha", "beta"), teams, strict=True)
        ]
        flags = run_flags(handed, given, made.CHALLENGE.review)
        assert [flag.teams for flag in flags] == [("beta",) if name == "users" else ("alpha", "beta")][: len(flags)]
        found[name] = Seen("FLAG" if flags else "ACCEPT", frozenset(flag.code for flag in flags), {})
    return found


def _digest(data: bytes) -> str:
    import hashlib

    out, _ = ours(data)
    assert out is not None
    return hashlib.sha256(out).hexdigest()
