"""The time line of what a participant said: where it was received, never more than 20 ms before."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from harness.streaming.playout import Playout
from harness.streaming.protocol import FRAME_SAMPLES, RATE_HZ

LOUD = struct.pack("<320h", *[1000] * 320)
SILENT = bytes(640)
# Arrivals as steps, so that they come in order; a burst is a step of zero.
STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.001, 0.019, 0.021, 0.05, 0.19, 0.3, 1.0]), st.booleans()), max_size=40
)


@given(STEPS, st.floats(0, 0.5))
def test_frames_follow_each_other_and_never_sound_long_before_they_came(
    steps: list[tuple[float, bool]], first: float
) -> None:
    playout, now, loud, arrivals = Playout(), first, 0, []
    for step, is_loud in steps:
        now += step
        playout.add(now, LOUD if is_loud else SILENT, 0)
        if is_loud:
            loud += 1
            arrivals.append(round(now * RATE_HZ))
    placed = [start for start, _ in playout._placed]
    assert len(placed) == loud
    assert all(later - earlier >= FRAME_SAMPLES for earlier, later in itertools.pairwise(placed))
    assert all(start >= arrived - FRAME_SAMPLES for start, arrived in zip(placed, arrivals, strict=True))
    samples = (placed[-1] + FRAME_SAMPLES) if placed else 0
    assert playout.render(samples).count(struct.pack("<h", 1000)) >= loud * FRAME_SAMPLES


@given(STEPS, st.integers(0, 3 * RATE_HZ))
def test_the_track_is_exactly_as_long_as_asked(steps: list[tuple[float, bool]], samples: int) -> None:
    playout, now = Playout(), 0.0
    for step, _ in steps:
        now += step
        playout.add(now, LOUD, 0)
    assert len(playout.render(samples)) == 2 * samples


def test_the_first_frame_of_a_stretch_lies_where_it_was_received() -> None:
    playout = Playout()
    for index in range(50):  # silence at every tick, as a participant in lockstep sends it
        playout.add(0.02 * index + 0.003, SILENT, index)
    playout.add(1.2345, LOUD, 50)
    playout.add(1.2549, LOUD, 51)
    assert playout.stretches[0].start == round(1.2345 * RATE_HZ)
    assert playout.stretches[0].end == playout.stretches[0].start + 2 * FRAME_SAMPLES
    assert (playout.late, playout.missing) == (0, 0)


def test_a_hole_inside_a_stretch_is_late_and_a_long_pause_a_new_stretch() -> None:
    playout = Playout()
    for moment in (0.0, 0.02, 0.1, 0.12, 1.0):
        playout.add(moment, LOUD, 0)
    assert (playout.late, playout.missing) == (1, 3)
    assert [(s.start, s.end) for s in playout.stretches] == [(0, 2240), (16000, 16320)]


def test_a_burst_is_heard_one_frame_after_the_other_and_a_flush_takes_the_rest_back() -> None:
    playout = Playout()
    for _ in range(100):
        playout.add(0.5, LOUD, 24)
    assert playout.ahead_s(0.5) == 2.0
    playout.flush(1.0)
    assert playout.flushed == 75
    assert playout.stretches[-1].end == RATE_HZ
    assert playout.ahead_s(1.0) == 0.0
    playout.flush(0.0)
    assert playout.stretches == [] and playout.render(RATE_HZ) == bytes(2 * RATE_HZ)
