"""Whose fault: each row is what was seen of a container, and what follows. No exit code decides anything alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.challenge.spec import RunLimits
from harness.sandbox.blame import blame
from harness.sandbox.container import ContainerOutcome

ENDED = ContainerOutcome(
    started=True, exit_code=0, oom_killed=False, timed_out=False, stopped_for=None, wall_s=1.0, peak_memory_bytes=None
)


@pytest.mark.parametrize(
    ("changes", "full", "outputs", "state", "fault", "codes"),
    [
        ({}, None, True, "completed", "none", ""),
        ({}, None, False, "output_missing", "submission", "R_NO_OUTPUT"),
        ({}, "files", True, "completed", "none", "E_OUT_COUNT"),
        ({"oom_killed": True}, None, True, "completed", "none", "W_OOM"),
        ({"oom_killed": True}, None, False, "output_missing", "submission", "W_OOM R_NO_OUTPUT"),
        # The same exit code, three reasons.
        ({"exit_code": 137}, None, True, "failed", "submission", "R_EXIT"),
        ({"exit_code": 137, "oom_killed": True}, None, True, "out_of_memory", "submission", "R_OOM"),
        ({"exit_code": 137, "timed_out": True}, None, True, "timed_out", "submission", "R_TIMEOUT"),
        ({"exit_code": 137, "memory_short_outside": True}, None, True, "failed", "unclear", "R_EXIT"),
        ({"memory_short_outside": True}, None, True, "completed", "none", ""),
        # Any other code says only that the program was not content.
        ({"exit_code": 255}, None, True, "failed", "submission", "R_EXIT"),
        ({"exit_code": 143}, None, True, "failed", "submission", "R_EXIT"),
        ({"exit_code": 1}, "bytes", True, "output_too_large", "submission", "E_OUT_SIZE"),
        ({"exit_code": 137, "stopped_for": "files"}, "files", True, "output_too_large", "submission", "E_OUT_COUNT"),
        # The deadline passed and it ended well all the same: it was too late.
        ({"timed_out": True}, None, True, "timed_out", "submission", "R_TIMEOUT"),
        ({"timed_out": True, "oom_killed": True, "exit_code": 137}, None, True, "timed_out", "submission", "R_TIMEOUT"),
        ({"started": False, "exit_code": None}, None, False, "start_failed", "submission", "R_START"),
        (
            {"started": False, "exit_code": None, "start_unclear": True},
            None,
            False,
            "start_failed",
            "unclear",
            "R_START",
        ),
    ],
)
def test_state_and_fault_follow_from_the_facts(
    small_limits: RunLimits,
    changes: dict[str, object],
    full: str | None,
    outputs: bool,
    state: str,
    fault: str,
    codes: str,
) -> None:
    found = blame(replace(ENDED, **changes), small_limits, full=full, has_outputs=outputs)  # type: ignore[arg-type]
    assert (found.state, found.fault) == (state, fault)
    assert [each.code for each in found.findings] == codes.split()
    assert all((each.severity == "error") == (state != "completed") for each in found.findings[-1:])


def test_infrastructure_is_never_read_from_a_container_that_ended(small_limits: RunLimits) -> None:
    """A team cannot get a free repetition by ending with some number."""
    for code in range(256):
        assert blame(replace(ENDED, exit_code=code), small_limits, full=None, has_outputs=True).fault in (
            "none",
            "submission",
        )
