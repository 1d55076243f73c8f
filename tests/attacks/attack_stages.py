"""The stages that attacks are aimed at. Each runs the real command on a box's subjects and says what became of each.

A stage is one function and one row in STAGES; it asks ``request`` for the fixtures that it needs. What every command
must keep (G1–G7) is asserted here, for every stage alike, by `command`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import attack_judge
import pytest
from attack_case import CANARY, HERE, Box, Case, Seen

CPU_S, PEAK_MB = 10, 512
_WALL_S = 600  # a busy machine is no finding; the CPU time is what is bounded
_ENVIRONMENTS = (
    {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "4711", "COLUMNS": "40"},
)
_EXITS = (0, 1, 2, 3)
_END = b"\0end of the audit\n"


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command: exit code, streams, and what it cost (`attack_measure.py` says in whose seconds)."""

    exit: int
    stdout: bytes
    stderr: bytes
    wall_s: float
    cpu_s: float
    peak_mb: float


def command(box: Box, *arguments: str | Path, environment: int = 0, sockets: bool = False, **more: str) -> Done:
    """Run `humdial ARGUMENTS` in the box's subjects and assert what holds for every command: no traceback, a known
    exit code, bounded CPU time and memory, no socket, no look at the bait, no canary in what it prints.

    With ``sockets`` the command may talk to the container engine, and to nobody else."""
    audit, result = (box.out / f"{name}-{threading.get_ident()}" for name in ("audit", "cost"))
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "TZ"))},
        **_ENVIRONMENTS[environment],
        "HOME": str(box.home),
        "TMPDIR": str(box.tmp),
        "PYTHONPATH": str(HERE / "hooks"),
        "ATTACK_AUDIT": str(audit),
        "HUMDIAL_SECRET": CANARY,
        **more,
    }
    launcher = [sys.executable, "-I", "-S", HERE / "attack_measure.py", result, str(_WALL_S)]
    with _listening(audit) as log:
        ran = subprocess.run(
            [*launcher, sys.executable, "-P", "-m", "harness", *arguments],
            cwd=box.subjects,
            env=variables,
            capture_output=True,
            check=True,
        )
    done = Done(stdout=ran.stdout, stderr=ran.stderr, **json.loads(result.read_text("utf-8")))
    _assert_manners(box, done, log.decode("utf-8", "replace"), sockets=sockets)
    return done


@contextmanager
def _listening(pipe: Path) -> Iterator[bytearray]:
    """What is written to a new named pipe meanwhile."""
    log = bytearray()
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)  # for both, so that it never ends while somebody may still write

    def read() -> None:
        while not log.endswith(_END):
            log.extend(os.read(descriptor, 1 << 16))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield log
    finally:
        os.write(descriptor, _END)
        thread.join()
        os.close(descriptor)
        pipe.unlink()


def _assert_manners(box: Box, done: Done, audit: str, *, sockets: bool) -> None:
    shown = done.stdout + done.stderr
    assert done.exit in _EXITS, (done.exit, done.stderr[-2000:])
    assert b"Traceback" not in shown
    assert done.cpu_s <= CPU_S, f"{done.cpu_s:.1f} s of CPU time"
    assert done.peak_mb <= PEAK_MB, f"{done.peak_mb:.0f} MB"
    assert CANARY.encode() not in shown
    used = [line for line in audit.splitlines() if line.startswith("socket.")]
    assert used == [] or sockets
    assert "/bait/" not in audit
    text = shown.decode("utf-8")
    assert all(character.isprintable() or character == "\n" for character in text), "a control character is printed"


Outcome = tuple[dict[str, Seen], list[Done]]


def elsewhere(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """What another room's test tries, because it takes that room's fixtures: the tests must be there."""
    for name in case.more["tests"]:
        path, _, function = name.partition("::")
        assert f"def {function}(" in (HERE.parent.parent / path).read_text("utf-8"), name
    return {name: Seen(case.expect[name].outcome, case.expect[name].codes, {}) for name in case.expect}, []


Stage = Callable[[Case, Box, pytest.FixtureRequest], Outcome]
STAGES: dict[str, Stage] = {"elsewhere": elsewhere, **attack_judge.STAGES}
