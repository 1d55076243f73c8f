"""The first response delay of one output."""

from __future__ import annotations

from fractions import Fraction

import pytest

from harness.documents.duplex import Annotation, Segment, Transcript, Word
from harness.duplex.delays import DelayRule, Mean, TooFewSegments, first_response_delay_s


def test_a_mean_of_nothing_is_none_and_never_zero() -> None:
    assert Mean.of([]) == Mean(None, 0)


def test_a_word_at_the_very_end_counts_for_backchannels_only() -> None:
    annotation = Annotation(5.0, (Segment(0.1, 2.558),))
    transcript = Transcript("hm", (Word("hm", 2.558, 2.8),))
    delay = first_response_delay_s(annotation, transcript, DelayRule())
    assert delay == 0
    assert not DelayRule().keeps(delay) and DelayRule(keeps_zero=True).keeps(delay)
    assert not DelayRule(keeps_zero=True).keeps(Fraction(-1, 1000))


def test_delays_are_exact_decimals() -> None:
    annotation = Annotation(5.0, (Segment(0.0, 0.1),))
    transcript = Transcript("hm", (Word("hm", 0.3, 0.4),))
    assert first_response_delay_s(annotation, transcript, DelayRule()) == Fraction(1, 5)


def test_one_segment_where_two_are_needed_is_no_delay() -> None:
    annotation = Annotation(5.0, (Segment(0.0, 0.1),))
    for transcript in (Transcript("hm", (Word("hm", 0.3, 0.4),)), Transcript("", ())):
        with pytest.raises(TooFewSegments):
            first_response_delay_s(annotation, transcript, DelayRule(reference=1))
