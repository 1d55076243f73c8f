"""The time line of what a participant said, as a listener would have heard it. Pure: stamps in, samples out.

A frame is heard when it arrives, or right after what is still being heard. A frame that continues what was heard and
comes at most one frame length late closes up without a gap: every receiver smooths that much. So the first frame of a
stretch lies exactly where it was received, and no frame more than 20 ms before it.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field

from harness.streaming.protocol import FRAME_S, FRAME_SAMPLES, RATE_HZ

# A pause longer than this starts a new stretch of speech; a shorter one is a hole in the same.
SAME_STRETCH_S = 0.2
_SAME_STRETCH = round(SAME_STRETCH_S * RATE_HZ)
# A frame whose samples all lie within this of zero (full scale 32768) is silence: nothing begins with it.
SILENT_PEAK = 16


@dataclass(slots=True)
class Stretch:
    """Speech without a pause: where it starts and ends (samples from the input's start), which input frame the
    participant had heard when it made the first frame, and when that frame was received (seconds)."""

    start: int
    end: int
    after_frame: int
    received_s: float


@dataclass(slots=True)
class Playout:
    """Collects the frames of one item. ``late`` counts frames that left a hole inside a stretch, ``missing`` the
    whole frames that fit into those holes, ``flushed`` the frames taken back before they were heard."""

    frames: int = 0
    late: int = 0
    missing: int = 0
    flushed: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    _placed: list[tuple[int, bytes]] = field(default_factory=list)
    _end: int = 0

    def ahead_s(self, now_s: float) -> float:
        """Seconds of audio that have come and not been heard yet."""
        return max(0.0, self._end / RATE_HZ - now_s)

    def add(self, received_s: float, pcm: bytes, after_frame: int) -> None:
        """Place one frame that came ``received_s`` after the input's start."""
        self.frames += 1
        arrived = max(0, round(received_s * RATE_HZ))
        hole = arrived - self._end
        heard_until = self.stretches[-1].end if self.stretches else -RATE_HZ
        if not _audible(pcm):
            # Silence keeps its place inside a stretch; elsewhere there is nothing to place.
            if hole <= FRAME_SAMPLES and max(arrived, self._end) - heard_until <= _SAME_STRETCH:
                self._end += FRAME_SAMPLES
            return
        start = self._end if hole <= FRAME_SAMPLES else arrived
        if start - heard_until > _SAME_STRETCH:
            start = max(arrived, self._end)
            self.stretches.append(Stretch(start, start, after_frame, received_s))
        elif hole > FRAME_SAMPLES:
            self.late += 1
            self.missing += hole // FRAME_SAMPLES
        self._placed.append((start, pcm))
        self._end = self.stretches[-1].end = start + FRAME_SAMPLES

    def flush(self, now_s: float) -> None:
        """Take back what has not begun to be heard at ``now_s``."""
        now = max(0, round(now_s * RATE_HZ))
        while self._placed and self._placed[-1][0] >= now:
            self._placed.pop()
            self.flushed += 1
        self._end = self._placed[-1][0] + FRAME_SAMPLES if self._placed else 0
        while self.stretches and self.stretches[-1].start >= self._end:
            self.stretches.pop()
        if self.stretches:
            self.stretches[-1].end = min(self.stretches[-1].end, self._end)

    def render(self, samples: int) -> bytes:
        """Exactly ``samples`` samples of PCM16, zeros where nothing was heard; what lies beyond is left out."""
        track = bytearray(2 * samples)
        for start, pcm in self._placed:
            room = 2 * samples - 2 * start
            if room > 0:
                track[2 * start : 2 * start + min(len(pcm), room)] = pcm[:room]
        return bytes(track)


def frame_due_s(index: int) -> float:
    """When input frame ``index`` is handed over, seconds after the input's start: at its end, as a microphone would."""
    return (index + 1) * FRAME_S


def _audible(pcm: bytes) -> bool:
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return max(samples) > SILENT_PEAK or min(samples) < -SILENT_PEAK
