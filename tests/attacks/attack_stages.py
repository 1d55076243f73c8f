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
from typing import Any

import made
import pytest
from attack_case import CANARY, HERE, Box, Case, Seen

from harness.documents.codec import from_plain
from harness.documents.codes import all_codes
from harness.documents.finding import ValidationReport
from harness.reporting.validation import FORMATS, render_all

CPU_S, PEAK_MB = 10, 512
_WALL_S = 180  # a busy machine is no finding; the CPU time is what is bounded
_ENVIRONMENTS = (
    {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "4711", "COLUMNS": "40"},
)
_EXITS = (0, 1, 2, 3)
_END = b"\0end of the audit\n"


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command: exit code, streams, and what it cost."""

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
    audit, result = box.out / "audit", box.out / "cost.json"
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
    assert str(box.bait) not in audit
    text = shown.decode("utf-8")
    assert all(character.isprintable() or character == "\n" for character in text), "a control character is printed"


@contextmanager
def disturbed(case: Case, subjects: Path) -> Iterator[None]:
    """make.py's ``during(subjects, stop)`` in a thread, when it has one."""
    during = getattr(case.module(), "during", None)
    if during is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=during, args=(subjects, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def validate(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Done]]:
    """`humdial validate` of all subjects at once, an honest team's submission last, twice in different surroundings."""
    honest, lone = request.getfixturevalue("honest")
    subjects = sorted(path.name for path in box.subjects.iterdir())
    paths = [name if not name.startswith("-") else f"./{name}" for name in subjects]
    before = box.guarded()
    runs = []
    for environment in range(2):
        with disturbed(case, box.subjects):
            runs.append(
                command(
                    box,
                    *("validate", *paths, honest / "sub", "--inputs", honest / "in", "-f", "json", *case.args),
                    environment=environment,
                )
            )
        assert list(box.tmp.iterdir()) == [], "something stays in TMPDIR"
    *documents, last = json.loads(runs[0].stdout)
    assert last == lone
    if case.steady:
        assert box.guarded() == before, "a subject, the bait or the home changed"
        assert runs[0].stdout == runs[1].stdout, "the second run says something else"
        assert (runs[0].exit, runs[0].stderr) == (runs[1].exit, runs[1].stderr)
    assert runs[0].exit == int(not all(document["valid"] for document in documents))
    return {name: _seen(document) for name, document in zip(subjects, documents, strict=True)}, runs


def _seen(document: dict[str, Any]) -> Seen:
    """The outcome that a report stands for; every word of it is from the closed list and printable in every format."""
    report = from_plain(ValidationReport, document)
    for format_ in FORMATS:
        text = render_all([report], format_).decode("utf-8")
        assert all(character.isprintable() or character == "\n" for character in text)
    codes = frozenset(finding.code for finding in report.findings)
    assert codes <= set(all_codes())
    for finding in report.findings:
        assert len(finding.message) <= 1000, finding
    if not report.valid:
        outcome = "REJECT"
    elif any(code.startswith("I_") for code in codes):
        outcome = "FLOOR"
    elif any(code.startswith("F_") for code in codes):
        outcome = "FLAG"
    else:
        outcome = "WARN" if codes else "ACCEPT"
    return Seen(outcome, codes, document)


Stage = Callable[[Case, Box, pytest.FixtureRequest], tuple[dict[str, Seen], list[Done]]]
STAGES: dict[str, Stage] = {"validate": validate}

__all__ = ["STAGES", "Done", "Seen", "command", "made", "validate"]
