"""One archive, one text with other marks or a word more, half of the dialogues, few, and replies that anybody gives."""

from __future__ import annotations

from collections.abc import Callable

import made
import pytest
from attack_case import Box, Seen

from harness.evaluation.likeness import HandIn, run_flags

DIALOGUES = 20
WORDS = ("garden", "rain", "letter", "window", "promise", "river", "winter", "kitchen", "music", "silence", "station")


def _said(number: int, seed: int) -> str:
    return "I hear how the {} and the {} and the {} changed things, tell me about the {}.".format(
        *(WORDS[(number * 7 + seed * 5 + step * step) % len(WORDS)] for step in range(4))
    )


def _alpha(number: int) -> str:
    return _said(number, 0)


OTHER: dict[str, Callable[[int], str]] = {
    "flag-dots": lambda number: _alpha(number).replace(",", " ...").upper(),
    "flag-a-word": lambda number: _alpha(number).replace("tell", "so tell"),
    "flag-half": lambda number: _alpha(number) if number % 2 else f"{number} 你一定很难过，我会一直在这里陪着你。",
    "not-few": lambda number: _alpha(number) if number < 4 else f"{number} 你一定很难过，我会一直在这里陪着你。",
    "not-short": lambda number: "I see.",
}


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    found = {}
    for name, other in {"flag-archive": lambda number: "", **OTHER}.items():
        mine = _alpha if name != "not-short" else other
        handed = [
            HandIn(team, source, {("task2", "en", f"d{n}"): says(n) for n in range(DIALOGUES)}, frozenset())
            for team, source, says in (("alpha", "a", mine), ("beta", "a" if "archive" in name else "b", other))
        ]
        flags = run_flags(handed, frozenset(), made.CHALLENGE.review)
        found[name] = Seen("FLAG" if flags else "ACCEPT", frozenset(flag.code for flag in flags), {})
    return found
