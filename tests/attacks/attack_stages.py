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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attack_judge
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


Outcome = tuple[dict[str, Seen], list[Done]]


def validate(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """`humdial validate` of every entry of subjects, an honest team's submission last."""
    honest, lone = request.getfixturevalue("honest")
    names = sorted([path.name for path in box.subjects.iterdir()] + list(case.more.get("paths", ())))
    paths = [f"./{name}" if name.startswith("-") else name for name in names]
    documents, runs = _twice(case, box, [*paths, honest / "sub", "--inputs", honest / "in", *case.args])
    assert documents.pop() == lone, "another team's report changed"
    return {name: _seen(document) for name, document in zip(names, documents, strict=True)}, runs


def _twice(case: Case, box: Box, arguments: Sequence[str | Path]) -> tuple[list[dict[str, Any]], list[Done]]:
    """The reports of `humdial validate ARGUMENTS`, run in two surroundings that must not show in them."""
    before = box.guarded()
    runs = []
    for environment in range(2):
        with disturbed(case, box.subjects):
            runs.append(command(box, "validate", *arguments, "-f", "json", environment=environment))
        assert list(box.tmp.iterdir()) == [], "something stays in TMPDIR"
    if case.steady:
        assert box.guarded() == before, "a subject, the bait or the home changed"
        assert runs[0].stdout == runs[1].stdout, "the second run says something else"
        assert (runs[0].exit, runs[0].stderr) == (runs[1].exit, runs[1].stderr)
    found = json.loads(runs[0].stdout)
    documents = found if isinstance(found, list) else [found]
    assert runs[0].exit == int(not all(document["valid"] for document in documents))
    return documents, runs


def lines(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """`humdial validate` of one submission in which every subject is a line of one JSONL; what is said of the file as
    a whole is the subject "(file)"."""
    target = case.more.get("target", "zh/task2.jsonl")
    names = sorted(path.name for path in box.subjects.iterdir())
    files = _without_pdf()
    files[target] = b"\n".join((box.subjects / name).read_bytes() for name in names) + b"\n"
    made.write(box.composed / "sub", files)
    places = {(target, number): name for number, name in enumerate(names, 1)} | {(target, None): "(file)"}
    documents, runs = _twice(case, box, [box.composed / "sub", "--draft", *case.args])
    return _by_place(documents[0], places, names), runs


def wavs(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """`humdial validate` of one submission in which every subject is the WAV of a reply."""
    names = sorted(path.name for path in box.subjects.iterdir())
    files, rows, places = _without_pdf(), [], {}
    made.write(box.composed / "sub", files)
    for number, name in enumerate(names, 1):
        dialogue = f"task4_1_zh_9999_{number:04d}"
        rows.append(made.line(dialogue, made.turns("zh")[:1]))
        path = f"zh/task4/{dialogue}_1_response.wav"
        (box.subjects / name).rename(box.composed / "sub" / path)  # moved: a hole stays a hole, a link a link
        places[path, None] = name
    with (box.composed / "sub/zh/task4.jsonl").open("ab") as stream:
        stream.write(made.jsonl(rows))
    documents, runs = _twice(case, box, [box.composed / "sub", "--draft", *case.args])
    return _by_place(documents[0], places, names), runs


def _without_pdf() -> made.Files:
    """A good submission but for its PDF, whose reader takes longer to start than all the rest."""
    return {path: data for path, data in made.submission().items() if not path.endswith(".pdf")}


def _by_place(document: dict[str, Any], places: dict[tuple[str, int | None], str], names: list[str]) -> dict[str, Seen]:
    """What a report says of each place; "(file)" only when something is said of it."""
    _seen(document)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for finding in document["findings"]:
        if finding["code"] == "E_LAYOUT_MISSING" and finding["file"].endswith(".pdf"):
            continue
        found.setdefault(places[finding["file"], finding["line"]], []).append(finding)
    return {name: _outcome(findings, document) for name, findings in found.items()}


def elsewhere(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """What another room's test tries, because it takes that room's fixtures: the tests must be there."""
    for name in case.more["tests"]:
        path, _, function = name.partition("::")
        assert f"def {function}(" in (HERE.parent.parent / path).read_text("utf-8"), name
    return {name: Seen(case.expect[name].outcome, case.expect[name].codes, {}) for name in case.expect}, []


def _seen(document: dict[str, Any]) -> Seen:
    """The outcome that a report stands for; every word of it is from the closed list and printable in every format."""
    report = from_plain(ValidationReport, document)
    for format_ in FORMATS:
        text = render_all([report], format_).decode("utf-8")
        assert all(character.isprintable() or character == "\n" for character in text)
    for finding in report.findings:
        assert finding.code in all_codes()
        assert len(finding.message) <= 1000, finding
    return _outcome(document["findings"], document)


def _outcome(findings: Sequence[dict[str, Any]], document: dict[str, Any]) -> Seen:
    codes = frozenset(finding["code"] for finding in findings)
    if any(finding["severity"] == "error" for finding in findings):
        outcome = "REJECT"
    elif any(code.startswith("I_") for code in codes):
        outcome = "FLOOR"
    elif any(code.startswith("F_") for code in codes):
        outcome = "FLAG"
    else:
        outcome = "WARN" if codes else "ACCEPT"
    return Seen(outcome, codes, {**document, "count": len(findings)})


Stage = Callable[[Case, Box, pytest.FixtureRequest], Outcome]
STAGES: dict[str, Stage] = {
    "validate": validate,
    "lines": lines,
    "wavs": wavs,
    "elsewhere": elsewhere,
    **attack_judge.STAGES,
}
