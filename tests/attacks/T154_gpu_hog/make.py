"""Whose memory a GPU still holds cannot be tried without one: what is asked of the engine can."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen

from harness.challenge.load import load_challenge
from harness.sandbox import Profile, seccomp_text
from harness.sandbox.profile import container_arguments


def make(subjects: Path, random: Random) -> None:
    (subjects / "GPU-5b1e").touch()


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    seen = {}
    for gpu in (None, "GPU-5b1e"):
        profile = Profile("team", "0", load_challenge().run_limits, (), (), seccomp_text(), gpu=gpu, runtime="runc")
        asked = container_arguments(profile, "sha256:0")
        requests = asked["HostConfig"]["DeviceRequests"]
        assert [each["DeviceIDs"] for each in requests] == ([[gpu]] if gpu else [])
        assert all(each["Count"] == 0 for each in requests)  # never "all"
        assert asked["HostConfig"]["Devices"] == []
        seen[str(gpu)] = Seen("CONTAIN", frozenset(), {})
    return seen
