"""The segments of the quality model cover a clip with as few as can be. The model is in test_judge_container.py."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.engines.quality import SEGMENT, segment_starts
from harness.judge.evidence import reply_units


@given(st.integers(SEGMENT, 30 * 60 * 16_000))
def test_segments_cover_the_clip(length: int) -> None:
    starts = segment_starts(length)
    assert starts[0] == 0
    assert starts[-1] == length - SEGMENT
    assert all(0 < after - before <= SEGMENT for before, after in itertools.pairwise(starts))
    assert len(starts) == -(-length // SEGMENT)


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("你好吗", 3), ("I'm fine, really", 3), ("OK，好的", 3), ("…", 0)]
)
def test_a_replys_length_is_in_characters_and_words(text: str, units: int) -> None:
    assert reply_units(text) == units
