"""Without the filter of system calls, under either runtime; the real filter passes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import RUNTIMES

from harness.challenge.load import load_challenge
from harness.errors import MachineError
from harness.sandbox import Profile, require_preflight, run_container, seccomp_text


def make(subjects: Path, random: Random) -> None:
    (subjects / "seccomp.json").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}))


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    engine, seen = request.getfixturevalue("engine"), {}
    base = engine.image_id(request.getfixturevalue("base_image"))
    for runtime in RUNTIMES:
        sound = Profile("team", "0", load_challenge().run_limits, (), (), seccomp_text(), runtime=runtime)
        assert require_preflight(engine, sound).problems == ()
        weak = replace(sound, seccomp=(box.subjects / "seccomp.json").read_text())
        log = box.out / f"log-{runtime}"
        with pytest.raises(MachineError) as caught:
            run_container(engine, weak, base, deadline_s=20, log_path=log)
        assert caught.value.exit_code == 3
        assert not log.exists(), "something ran"
        seen[runtime] = Seen("INFRA", frozenset({caught.value.code}), {})
    return seen
