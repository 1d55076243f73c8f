"""Reading a judge's reply to the behaviour question."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.duplex.behaviour import LABELS, NoLabel, label_shares, read_label, read_reply


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        ('{"behaviour": "RESPOND"}', ("RESPOND",)),
        ('{"behaviour": ["C_RESUME"]}', ("RESUME",)),
        ('```json\n{"behaviour": ["C_UNCERTAIN_HANDLING"]}\n```', ("UNCERTAIN",)),
        ('Certainly. {"note": 1} {"behaviour":\n "C_UNKNOWN"}', ("UNKNOWN",)),
        ('{"behaviour": ["C_RESPOND", "C_RESUME"]}', ("RESPOND", "RESUME")),
        ('{"behaviour": "C_RES\nPOND"}', ("RESPOND",)),  # line breaks are deleted before reading
        ('{broken {"behaviour": "RESUME"}', ("RESUME",)),
    ],
)
def test_labels_are_found_in_prose(raw: str, labels: tuple[str, ...]) -> None:
    assert read_reply(raw) == labels


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "RESPOND",
        "[]",
        '{"behavior": "RESPOND"}',
        '{"behaviour": []}',
        '{"behaviour": ""}',
        '{"behaviour": "C_OTHER"}',
        '{"behaviour": null}',
        '{"behaviour": {"label": "RESPOND"}}',
        '{"result": {"behaviour": "RESPOND"}}',  # an object inside another one that decodes is not looked into
        "{" * 100_000,
    ],
)
def test_anything_else_is_no_label(raw: str) -> None:
    with pytest.raises(NoLabel):
        read_reply(raw)


@given(st.text(alphabet=st.sampled_from('{}[]":, behaviourRESPOND\n'), max_size=60))
def test_reading_never_breaks(raw: str) -> None:
    with contextlib.suppress(NoLabel):
        assert set(read_reply(raw)) <= set(LABELS)


def test_nothing_labelled_has_no_share() -> None:
    assert label_shares([]).ratio("RESPOND") is None
    with pytest.raises(NoLabel):
        read_label(True)


def test_a_label_that_never_came_has_a_share_of_nothing() -> None:
    assert label_shares([["RESUME"]]).ratio("RESPOND") == 0
