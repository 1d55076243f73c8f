"""Rejection and delays where the published and the strict way differ."""

from __future__ import annotations

from fractions import Fraction

from harness.documents.duplex import Annotation, Segment, Transcript, Word
from harness.duplex.delays import (
    DelayRule,
    Mean,
    first_response_delay_s,
    kept_delays,
    published_rejection,
    strict_rejection,
)


def test_a_system_that_says_nothing_is_neither_fast_nor_patient() -> None:
    delays = {"a": None, "b": None}
    assert kept_delays(delays, DelayRule()) == {}
    assert Mean.of([]) == Mean(None, 0)
    assert published_rejection(delays).value is None
    assert strict_rejection(delays, ["a", "b", "c"]).value == 0


def test_missing_silent_and_early_outputs_stay_in_the_strict_denominator() -> None:
    delays = {"good": Fraction(1, 2), "early": Fraction(-1), "silent": None}
    assert published_rejection(delays).value == Fraction(1, 2)
    assert strict_rejection(delays, ["good", "early", "silent", "missing"]).value == Fraction(1, 4)


def test_a_word_at_the_very_end_counts_for_backchannels_only() -> None:
    annotation = Annotation(5.0, (Segment(0.1, 2.558),))
    transcript = Transcript("hm", (Word("hm", 2.558, 2.8),))
    delay = first_response_delay_s(annotation, transcript, DelayRule())
    assert delay == 0
    assert kept_delays({"x": delay}, DelayRule()) == {}
    assert kept_delays({"x": delay}, DelayRule(keeps_zero=True)) == {"x": 0}


def test_delays_are_exact_decimals() -> None:
    annotation = Annotation(5.0, (Segment(0.0, 0.1),))
    transcript = Transcript("hm", (Word("hm", 0.3, 0.4),))
    assert first_response_delay_s(annotation, transcript, DelayRule()) == Fraction(1, 5)
