"""The latency protocol's parts: one measuring run a machine, who used the processors, what makes a machine shared."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from harness.challenge.duplex import LatencyRules
from harness.errors import MachineError
from harness.sandbox.container import ContainerOutcome
from harness.sandbox.host_processor import busy_share, container_s
from harness.sandbox.latency import QuietMachine, machine_lock, read_gpu_state

OUTCOME = ContainerOutcome(True, 0, False, False, None, 1.0, None, busy_by_others=0.01)
QUIET = QuietMachine(
    rules=LatencyRules(),
    started_at="2025-11-24T20:00:00+00:00",
    lock_waited_s=0.0,
    idle_waited_s=1.0,
    busy=0.02,
    load=(0.1, 0.1, 0.1),
    other_containers=0,
    mhz=None,
    gpu=None,
    wants_gpu=False,
)


def test_two_runs_that_measure_delays_do_not_run_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from harness.sandbox.latency import machine_lock\n"
        "with machine_lock(0.3, Path(sys.argv[1])): pass"
    )
    with machine_lock(0.0, tmp_path):
        done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True)
        assert "another run that measures delays has it" in done.stderr
        with pytest.raises(MachineError) as refused, machine_lock(0.0, tmp_path):
            pass
        assert refused.value.code == "I_LATENCY_LOCK"
    with machine_lock(0.0, tmp_path) as waited_s:
        assert waited_s >= 0


def test_the_second_of_two_runs_waits_for_the_first(tmp_path: Path) -> None:
    waited: list[float] = []

    def second() -> None:
        with machine_lock(600.0, tmp_path) as waited_s:
            waited.append(waited_s)

    waits = threading.Thread(target=second)
    with machine_lock(0.0, tmp_path):
        waits.start()
        waits.join(0.5)
        assert not waited
    waits.join(600)
    assert waited[0] > 0.2


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from harness.sandbox.latency import machine_lock\n"
        "with machine_lock(0.0, Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path]).returncode == -9
    with machine_lock(0.0, tmp_path):
        pass


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "humdial-latency.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError), machine_lock(0.0, tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_an_idle_machine_is_not_shared() -> None:
    found = QUIET.conditions(OUTCOME)
    assert (found.shared, found.why) == (False, ())


@pytest.mark.parametrize(
    ("quiet", "outcome", "words"),
    [
        (replace(QUIET, busy=0.06), OUTCOME, "6% of the processors were used before the run; 5% are allowed"),
        (QUIET, replace(OUTCOME, busy_by_others=0.5), "50% of the processors were used by others during the run"),
        (replace(QUIET, busy=None), OUTCOME, "what was used before the run cannot be told"),
        (QUIET, replace(OUTCOME, busy_by_others=None), "cannot be told on this machine"),
        (replace(QUIET, other_containers=2), OUTCOME, "2 other containers were running"),
        (replace(QUIET, wants_gpu=True), OUTCOME, "the GPU could not be looked at"),
        (replace(QUIET, wants_gpu=True, gpu=read_gpu_state("97, 1024, 1410, 2100")), OUTCOME, "the GPU was 97 % busy"),
    ],
)
def test_whatever_cannot_be_shown_to_be_idle_is_shared(
    quiet: QuietMachine, outcome: ContainerOutcome, words: str
) -> None:
    found = quiet.conditions(outcome)
    assert found.shared and words in found.why[0]


def test_the_tool_of_the_gpu_may_say_anything() -> None:
    assert read_gpu_state("0, 3, 210, 2100\n").clock_mhz == 210  # type: ignore[union-attr]
    for said in ("", "[N/A], 3, 210, 2100", "1, 2", "1, 2, 3, 4\n5, 6, 7, 8"):
        assert read_gpu_state(said) is None


def test_a_share_lies_between_nothing_and_all() -> None:
    share = busy_share(0.05)
    assert share is not None and 0 <= share <= 1
    assert container_s(f"no-such-container-{os.getpid()}") is None
