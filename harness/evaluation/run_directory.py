"""A run's folder: what it was begun with, who may write in it, and where everything lies. Paths inside are relative, so
that it can be moved.

    run.json       the pins: everything that decides a number, written once
    journal.jsonl  what happened, in order; with blobs/ it is the whole truth, all other files are made from it
    ledger.jsonl   what every team handed in and what became of it
    blobs/         documents by their digest
    teams/         a folder a team, for people
    .work/ .tmp/   of tasks under way; nothing that is needed again
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.documents.codec import from_plain, pretty_json, to_plain
from harness.documents.duplex import HearingTerms
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef
from harness.errors import MachineError, Refused, UsageError
from harness.evaluation.blobs import Blobs
from harness.evaluation.journal import Journal
from harness.evaluation.run_io import SCRATCH, RunIO
from harness.sandbox.owner import Owner, owner_of, this_process

PINS, JOURNAL, LEDGER, LOCK = "run.json", "journal.jsonl", "ledger.jsonl", "lock"
REVIEW = "review.json"  # what a person should look at between the teams
# What is there only while the table is published; the report for everybody among it.
PUBLISHED_FILES = ("leaderboard.csv", "leaderboard.json", "leaderboard.md", "report.html", REVIEW)
TEAMS, WORK, BLOBS = "teams", ".work", "blobs"
SCHEMA_VERSION = 1
# What two runs may differ in although they are begun alike.
_OWN = ("nonce", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Everything that decides a number. ``spec`` is the blob of the challenge spec, ``gold`` that of the organisers'
    dialogues or key; ``hearing`` is there for a full-duplex track; digests are ``sha256:…``.

    ``nonce`` marks the run's containers, ``seed`` orders the dialogues inside them.
    """

    schema_version: int
    harness_version: str
    track: str
    policy: str
    challenge: ChallengeRef
    judge: JudgeRef
    judge_inputs: dict[str, Any] = field(default_factory=dict)
    spec: str
    gold: str
    gold_layout: str
    inputs: str
    hearing: HearingTerms | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    teams: tuple[dict[str, Any], ...] = ()
    nonce: str
    seed: str


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """An open run, held by this process alone."""

    path: Path
    io: RunIO
    pins: Pins
    journal: Journal
    ledger: Journal
    blobs: Blobs

    def team(self, name: str) -> Path:
        return self.path / TEAMS / name

    def work(self, *parts: str) -> Path:
        return self.path.joinpath(WORK, *parts)

    def place(self, path: Path, data: bytes) -> None:
        """Make a file for people say what the journal says; nothing is written when it does already."""
        if not (path.is_file() and not path.is_symlink() and path.read_bytes() == data):
            self.io.write(path, data)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The run folder at ``path``, for one process. Raises MachineError: E_LOCKED when another has it, E_FS when the
    file system cannot lock, I_DISK."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise MachineError(
            f"{path} cannot be used as a run directory: {error.strerror}", code="I_DISK", hint="pass another --out"
        ) from error
    try:
        _lock(path, descriptor)
        with suppress(OSError):  # on a full disk the holder has no name; the lock holds
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()} {this_process()}\n".encode(), 0)
        yield
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        # It ends with its holder, a killed one too: nobody has to decide whether a lock is stale.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise MachineError(
            f"{path} is in use by {_holder(descriptor)}",
            code="E_LOCKED",
            hint="wait until it ends, or stop it; then run this again",
        ) from error
    except OSError as error:
        raise MachineError(
            f"the file system of {path} cannot lock files: {error.strerror}",
            code="E_FS",
            hint="put the run directory on a local disk, or on a network file system with working locks",
        ) from error


def _holder(descriptor: int) -> str:
    """Who says that it has the lock. One that was killed says so still, and who only reads says nothing."""
    said = os.pread(descriptor, 500, 0).decode("utf-8", "replace").split()
    if len(said) != 3 or owner_of(said[2]) is Owner.GONE:
        return "another process"
    return f"process {said[0]} on {said[1]}"


@contextmanager
def open_run(path: Path, io: RunIO, pins: Pins | None, documents: Sequence[bytes] = ()) -> Iterator[RunDirectory]:
    """Begin the run at ``path``, or go on with it. With ``pins`` they must be those it was begun with; without, the run
    must be there. ``documents`` are what the pins speak of by digest; a new run keeps them.

    Raises UsageError: E_PIN, E_SCHEMA_VER, E_USAGE for a folder of something else; MachineError: E_LOCKED, E_FS,
    I_DISK; Refused: I_CORRUPT.
    """
    if pins is None and not (path / PINS).is_file():
        raise _not_a_run(path, "holds no run")
    with held(path), _withdrawn_when_corrupt(path, io):
        stored = read_pins(path)
        if stored is None:
            _begin(path, io, pins, documents)
            stored = pins
        elif pins is not None:
            _same(stored, pins)
        assert stored is not None
        shutil.rmtree(path / SCRATCH, ignore_errors=True)
        with (
            closing(Journal(io, path / JOURNAL)) as journal,
            closing(Journal(io, path / LEDGER)) as ledger,
        ):
            yield RunDirectory(path, io, stored, journal, ledger, Blobs(io, path / BLOBS))


@contextmanager
def _withdrawn_when_corrupt(path: Path, io: RunIO) -> Iterator[None]:
    """A table that was published does not stand for a run that was changed since. In a folder of something else
    nothing is touched."""
    try:
        yield
    except Refused as error:
        if error.code == "I_CORRUPT" and (path / JOURNAL).is_file():
            with suppress(MachineError):
                withdraw(path, io)
        raise


def _begin(path: Path, io: RunIO, pins: Pins | None, documents: Sequence[bytes]) -> None:
    strangers = {entry.name for entry in path.iterdir()} - {LOCK, SCRATCH, BLOBS}
    if strangers:
        raise _not_a_run(path, f"holds other files ({min(strangers)!a})")
    assert pins is not None
    for document in documents:
        Blobs(io, path / BLOBS).put(document)
    io.write(path / PINS, pretty_json(to_plain(pins)))


def withdraw(path: Path, io: RunIO) -> None:
    """Nothing is published in the run at ``path`` from now on. Raises MachineError (I_DISK)."""
    for name in PUBLISHED_FILES:
        io.unlink(path / name)


def read_pins(path: Path) -> Pins | None:
    """The pins of the run at ``path``; None when there is no run. Raises UsageError (E_SCHEMA_VER), Refused
    (I_CORRUPT)."""
    try:
        plain = json.loads((path / PINS).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Refused(
            f"{path.name}/{PINS} is damaged: {error}", code="I_CORRUPT", hint="restore it from a copy of the run"
        ) from error
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} is a run of schema version {version!r}, this humdial writes {SCHEMA_VERSION}",
            code="E_SCHEMA_VER",
            hint="finish it with the humdial that began it, or begin a new run",
        )
    return from_plain(Pins, plain)


def _same(stored: Pins, now: Pins) -> None:
    before, after = to_plain(stored), to_plain(replace(now, **{name: getattr(stored, name) for name in _OWN}))
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        raise UsageError(
            f"this run was begun with another {', '.join(changed)}: "
            + "; ".join(_change(name, before[name], after[name]) for name in changed[:3]),
            code="E_PIN",
            hint="restore what it was begun with, or begin a new run in another folder; verdicts are used again",
        )


def _change(name: str, before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        return f"{name}.{keys[0]} was {_short(before.get(keys[0]))}, is {_short(after.get(keys[0]))}"
    if isinstance(before, list):
        names = [row.get("name") for row in [*before, *after] if row not in before or row not in after]
        return f"{name}: {', '.join(dict.fromkeys(map(str, names)))}"
    return f"{name} was {_short(before)}, is {_short(after)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _not_a_run(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} {why}", code="E_USAGE", hint="pass a new folder, or one that `humdial evaluate` made")
