"""A recogniser that ends early loses nobody's words but those of the file that breaks it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.documents.duplex import Transcript
from harness.errors import MachineError
from harness.evaluation.recognising import Answer, write_down

NAMES = [f"test/{number}" for number in range(12)]
ENDED = MachineError("it ended", code="I_RECOGNISER", hint="look")


def recogniser(deadly: set[str], memory: int = 100) -> tuple[list[int], object]:
    """Takes one file after the other; a deadly one ends it, and so does the ``memory``-th."""
    asked: list[int] = []

    def ask(names: Sequence[str]) -> Answer:
        asked.append(len(names))
        heard: dict[str, Transcript | None] = {}
        for name in names:
            if name in deadly or len(heard) == memory:
                return heard, ENDED
            heard[name] = Transcript(name, ())
        return heard, None

    return asked, ask


@given(st.lists(st.sampled_from(NAMES[1:]), unique=True, max_size=8), st.integers(1, 5))
def test_everything_else_is_written_down(deadly: list[str], memory: int) -> None:
    apart = {name for before, name in zip(["", *deadly], deadly, strict=False) if name != before}
    alone = {name for name in apart if NAMES[NAMES.index(name) - 1] not in apart}  # never two in a row
    _, ask = recogniser(alone, memory)
    assert set(write_down(ask, NAMES)) == set(NAMES) - alone  # type: ignore[arg-type]


def test_one_that_gives_nothing_at_all_is_not_asked_for_every_file() -> None:
    asked, ask = recogniser(set(NAMES))
    with pytest.raises(MachineError):
        write_down(ask, NAMES)  # type: ignore[arg-type]
    assert len(asked) == 2
    with pytest.raises(MachineError):
        write_down(recogniser({NAMES[0]})[1], NAMES[:1])  # type: ignore[arg-type]


def test_a_file_that_it_fails_on_by_its_own_word_is_not_asked_again() -> None:
    def ask(names: Sequence[str]) -> Answer:
        return dict.fromkeys(names), None

    assert write_down(ask, NAMES) == dict.fromkeys(NAMES)
    assert write_down(lambda names: ({}, None), NAMES) == {}
