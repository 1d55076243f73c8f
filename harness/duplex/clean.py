"""Clean inputs, sample-exact: the same length, silence everywhere but the first query.

Samples are mono int16 arrays. Annotations are the organisers'; a segment that outruns the file is cut at its end, as
the published preparation does, and the caller's check names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.documents.duplex import Annotation, Segment
from harness.duplex.delays import TooFewSegments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]


def clean_input(samples: Samples, rate_hz: int, annotation: Annotation) -> Samples:
    """round(duration·rate) zeros with segment 0 copied to where it stands, from round(start·rate) up to but not
    including round(end·rate), both at most the last sample's index. Without segments all is silence."""
    import numpy as np

    made = np.zeros(round(annotation.duration_s * rate_hz), dtype=np.int16)
    for query in annotation.segments[:1]:
        last = max(len(samples) - 1, 0)
        start = min(round(query.start_s * rate_hz), last)
        end = min(round(query.end_s * rate_hz), last, len(made))
        made[start:end] = samples[start:end]
    return made


def directed_clean(samples: Samples, rate_hz: int, annotation: Annotation) -> Samples:
    """The clean input of speech directed at others: everything between the starts of the two queries is cut out, and
    the remark to somebody else (segment 2, where there is one) is silence. Edges are whole milliseconds.

    Raises TooFewSegments when the annotation has no second query.
    """
    import numpy as np

    segments = _segments(annotation, 2)
    made = samples.copy()
    for remark in segments[2:3]:
        made[_at(remark.start_s, rate_hz) : _at(remark.end_s, rate_hz)] = 0
    cut_from, cut_to = _at(segments[0].start_s, rate_hz), _at(segments[1].start_s, rate_hz)
    return np.concatenate([made[:cut_from], made[cut_to:]])


def directed_second(user: Samples, output: Samples, rate_hz: int, annotation: Annotation) -> tuple[Samples, Samples]:
    """The second half of speech directed at others, for a second transcription: user and output from the start of the
    follow-up query on; in the output, what was said while the user asked it is silence. Edges are whole milliseconds.

    Raises TooFewSegments when the annotation has no follow-up query.
    """
    follow_up = _segments(annotation, 2)[1]
    start, end = (int(follow_up.start_s * 1000) * rate_hz // 1000, _at(follow_up.end_s, rate_hz))
    quiet = output.copy()
    quiet[_at(follow_up.start_s, rate_hz) : end] = 0
    return user[start:].copy(), quiet[start:]


def _at(seconds: float, rate_hz: int) -> int:
    return round(seconds * 1000) * rate_hz // 1000


def _segments(annotation: Annotation, least: int) -> tuple[Segment, ...]:
    if len(annotation.segments) < least:
        raise TooFewSegments(f"{len(annotation.segments)} segment(s) where {least} are needed")
    return annotation.segments
