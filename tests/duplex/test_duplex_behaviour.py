"""The four labels by both of their names, and their shares."""

from __future__ import annotations

import pytest

from harness.duplex.behaviour import LABELS, NoLabel, label_shares, read_label


def test_a_label_is_known_by_our_name_and_the_published_one() -> None:
    published = ("C_RESPOND", "C_RESUME", "C_UNCERTAIN_HANDLING", "C_UNKNOWN")
    assert tuple(map(read_label, published)) == tuple(map(read_label, LABELS)) == LABELS


@pytest.mark.parametrize(
    "value", [True, None, 0, "", "respond", "RESPOND ", "C_OTHER", ["RESPOND"], {"label": "RESPOND"}]
)
def test_anything_else_is_no_label(value: object) -> None:
    with pytest.raises(NoLabel):
        read_label(value)


def test_nothing_labelled_has_no_share() -> None:
    assert label_shares([]).ratio("RESPOND") is None


def test_a_label_that_never_came_has_a_share_of_nothing() -> None:
    assert label_shares([["RESUME"]]).ratio("RESPOND") == 0
