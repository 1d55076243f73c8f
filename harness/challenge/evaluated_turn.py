"""Which turn of a dialogue is marked.

The published rules disagree (the scripts: the second non-neutral turn; a README: the last non-neutral one), so the
spec chooses. All of them compare an emotion lower-cased and not stripped, and count an empty or absent emotion as
non-neutral, as the published scripts do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.challenge.spec import EvaluatedTurn


def evaluated_index(emotions: Sequence[str | None], rule: EvaluatedTurn, neutral: str) -> int | None:
    """The place (from 0) of the marked turn among the user's turns, or None when the dialogue has too few.

    ``emotions`` holds one label a turn, in order. ``last`` needs one turn, ``last_non_neutral`` one non-neutral
    turn, ``second_non_neutral`` two. The judge's context is the turns up to and including that place.
    """
    if rule == "last":
        return len(emotions) - 1 if emotions else None
    feeling = [place for place, emotion in enumerate(emotions) if (emotion or "").lower() != neutral]
    if rule == "second_non_neutral":
        return feeling[1] if len(feeling) > 1 else None
    return feeling[-1] if feeling else None


def rules_disagree(emotions: Sequence[str | None], neutral: str) -> bool:
    """Whether the two non-neutral rules name different turns: such dialogues are worth listing for the organisers."""
    second = evaluated_index(emotions, "second_non_neutral", neutral)
    return second != evaluated_index(emotions, "last_non_neutral", neutral)


def aliased(turn: Mapping[str, Any], name: str, alias: str) -> Any:
    """A field of a raw turn under its canonical name or its alias: the alias wins when it is not empty."""
    return turn.get(alias) or turn.get(name)
