"""A run directory to read from: nothing in it is changed, so that a copy on a read-only disk will do."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.load import challenge_of
from harness.challenge.spec import Challenge
from harness.documents.codec import digest, to_plain
from harness.documents.finding import ChallengeRef
from harness.documents.verification import ScoringTerms
from harness.errors import MachineError, UsageError
from harness.evaluation.blobs import Blobs
from harness.evaluation.journal import Scan, scan
from harness.evaluation.run_directory import BLOBS, JOURNAL, LEDGER, LOCK, Pins, read_pins
from harness.evaluation.run_io import RunIO
from harness.evaluation.standings import TeamState, fold
from harness.evaluation.teams_file import Attempt, Team


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What a run says of itself. ``challenge`` is the spec that it keeps."""

    path: Path
    pins: Pins
    challenge: Challenge
    journal: Scan
    ledger: Scan
    blobs: Blobs
    states: Mapping[str, TeamState]


@contextmanager
def unchanging(path: Path) -> Iterator[None]:
    """While nobody writes in the run at ``path``. Raises MachineError (E_LOCKED)."""
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # a copy without its lock: nobody writes in there
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise MachineError(
            f"{path} is in use: an evaluation is under way", code="E_LOCKED", hint="wait until it ends, then run again"
        ) from error
    finally:
        os.close(descriptor)


def read_run(path: Path) -> StoredRun:
    """The run at ``path``. Raises UsageError (E_USAGE for what is no run, E_SCHEMA_VER) and Refused (I_CORRUPT)."""
    pins = read_pins(path) if path.is_dir() else None
    if pins is None:
        raise UsageError(
            f"{path} holds no run", code="E_USAGE", hint="pass a folder that `humdial evaluate --out` made"
        )
    blobs = Blobs(RunIO(path), path / BLOBS)
    spec = json.loads(blobs.get(pins.spec))
    challenge = challenge_of(spec, "the stored challenge spec")
    journal = scan(path / JOURNAL)
    teams = tuple(team_of(plain) for plain in pins.teams)
    return StoredRun(path, pins, challenge, journal, scan(path / LEDGER), blobs, fold(teams, journal.records))


def team_of(plain: Mapping[str, Any]) -> Team:
    """A team as it was pinned: hand-ins have their names, but lie nowhere."""
    attempts = tuple(
        Attempt(
            number=each["number"],
            image=each.get("image"),
            submission=Path(each["submission"]) if each.get("submission") else None,
            submitted_at=each["submitted_at"],
            late=each["late"],
        )
        for each in plain["attempts"]
    )
    named = {key: plain[key] for key in ("name", "track", "display_name", "system", "baseline")}
    return Team(attempts=attempts, **named)


def scoring_terms(pins: Pins, challenge: ChallengeRef, policy: str) -> ScoringTerms:
    """Under what a run's verdicts are scored."""
    plain = {
        "challenge": challenge.digest,
        "policy": policy,
        "track": pins.track,
        "judge": pins.judge.fingerprint,
        "gold": pins.gold,
        "gold_layout": pins.gold_layout,
        "teams": list(pins.teams),
        **({} if pins.hearing is None else {"hearing": to_plain(pins.hearing)}),
    }
    return ScoringTerms(digest(plain), challenge, policy, pins.judge.fingerprint, f"sha256:{pins.gold}")
