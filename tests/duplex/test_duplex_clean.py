"""Clean inputs and the parts of speech directed at others, to the sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.documents.duplex import Annotation, Segment
from harness.duplex.clean import clean_input, directed_clean, directed_second
from harness.duplex.delays import TooFewSegments

RATE = 16_000


def noise(seconds: float) -> np.ndarray:
    drawn = np.random.default_rng(7).integers(1, 20_000, int(seconds * RATE))
    return drawn.astype(np.int16)


def test_directed_at_others() -> None:
    source = noise(6.0)
    annotation = Annotation(6.0, (Segment(0.5, 1.0), Segment(2.0, 3.0), Segment(4.0, 5.0)))
    clean = directed_clean(source, RATE, annotation)
    assert len(clean) == len(source) - int(1.5 * RATE)
    assert (clean[:8000] == source[:8000]).all()
    assert (clean[8000:24000] == source[32000:48000]).all()
    remark = slice(int(2.5 * RATE), int(3.5 * RATE))
    assert (clean[remark] == 0).all()
    assert np.count_nonzero(clean == 0) == RATE


def test_the_second_half_starts_with_the_follow_up_query() -> None:
    user, output = noise(6.0), noise(7.0)
    annotation = Annotation(6.0, (Segment(0.5, 1.0), Segment(2.0, 3.0)))
    heard, said = directed_second(user, output, RATE, annotation)
    assert len(heard) == 4 * RATE and len(said) == 5 * RATE
    assert (heard == user[2 * RATE :]).all()
    assert (said[:RATE] == 0).all() and (said[RATE:] == output[3 * RATE :]).all()
    assert output.all(), "the source stays as it was"


@pytest.mark.parametrize("segments", [(), (Segment(0.5, 1.0),)])
def test_one_segment_is_too_few_for_directed_at_others(segments: tuple[Segment, ...]) -> None:
    with pytest.raises(TooFewSegments):
        directed_clean(noise(2.0), RATE, Annotation(2.0, segments))
    with pytest.raises(TooFewSegments):
        directed_second(noise(2.0), noise(2.0), RATE, Annotation(2.0, segments))


@given(st.floats(0, 4), st.floats(0, 4), st.floats(0, 4))
def test_clean_is_the_source_or_silence(duration: float, start: float, length: float) -> None:
    source = noise(2.0)
    made = clean_input(source, RATE, Annotation(duration, (Segment(start, start + length),)))
    assert len(made) == round(duration * RATE)
    inside = np.flatnonzero(made)
    assert (made[inside] == source[inside]).all()


def test_no_audio_gives_silence() -> None:
    made = clean_input(np.zeros(0, np.int16), RATE, Annotation(1.0, (Segment(0.0, 1.0),)))
    assert len(made) == RATE and not made.any()
