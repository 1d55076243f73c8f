"""A hundred hand-ins of one team: all are noted, and few are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import made
import pytest
from attack_case import Box, Seen

from harness.evaluation.journal import Record
from harness.evaluation.standings import apply, fold, looked_at
from harness.evaluation.teams_file import Attempt, Team, read_teams


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    (box.root / "one").mkdir()
    found = {}
    limit = made.CHALLENGE.max_attempts + made.CHALLENGE.max_faulty_attempts
    for name, count in {"hundred": 100, "one-too-many": limit + 1, "limit": limit}.items():
        rows = [
            f'[[team.attempt]]\nsubmission = "one"\nsubmitted_at = 2025-11-20T10:{n // 60:02d}:{n % 60:02d}Z\n'
            for n in range(count)
        ]
        path = box.root / f"{name}.toml"
        path.write_text('[[team]]\nname = "alpha"\ntrack = "track1"\n' + "".join(rows))
        assert (
            len(read_teams(path, made.CHALLENGE, None)[0].attempts) == count
        )  # noted, and looked at within the limits
        found[name] = Seen("CONTAIN", frozenset(), {})
    for name, valid in {"all-valid": [True] * 100, "all-faulty": [False] * 100, "in-turn": [True, False] * 50}.items():
        looked = _looked_at(valid)
        assert looked <= limit
        assert sum(valid[:looked]) <= made.CHALLENGE.max_attempts
        found[name] = Seen("CONTAIN", frozenset(), {})
    return found


def _looked_at(valid: Sequence[bool]) -> int:
    """How many of these hand-ins are looked at, when each is what the list says."""
    team = Team("alpha", "track1", tuple(Attempt(n, None, Path("one")) for n in range(1, len(valid) + 1)))
    states = fold([team], [])
    for number, each in enumerate(valid, 1):
        seen = looked_at(states["alpha"], made.CHALLENGE)
        if not seen or seen[-1].attempt.number != number:
            break
        apply(states, Record(number, "prepared", {"team": "alpha", "attempt": number, "valid": each}))
    return len(looked_at(states["alpha"], made.CHALLENGE))
