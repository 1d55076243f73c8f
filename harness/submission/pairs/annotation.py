"""Annotations of inputs: from plain JSON to values, with everything that is wrong about the times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.challenge.duplex import DuplexCase
from harness.documents.duplex import Annotation, Segment
from harness.submission.readers.refusal import Refusal

_SLACK_S = 0.0015  # annotations are written in milliseconds


def annotation_of(plain: dict[str, Any]) -> Annotation:
    """From a value that its schema accepts."""
    segments = tuple(
        Segment(float(each["xmin"]), float(each["xmax"]), each.get("text", "")) for each in plain["speech_segments"]
    )
    return Annotation(float(plain["final_duration"]), segments)


def annotation_problems(annotation: Annotation, case: DuplexCase, audio_s: float | None) -> Iterator[Refusal]:
    """What is wrong with the times; ``audio_s`` is how long the input's WAV lasts, where it is known."""
    for index, segment in enumerate(annotation.segments):
        if not segment.start_s < segment.end_s:
            what = f"segment {index + 1} runs from {segment.start_s} to {segment.end_s} s"
            yield Refusal("E_ANNOT_TIME", what=what)
        end_s = annotation.duration_s if audio_s is None else min(annotation.duration_s, audio_s)
        if segment.end_s > end_s + _SLACK_S:
            what = f"segment {index + 1} ends at {segment.end_s} s"
            yield Refusal("E_ANNOT_RANGE", what=what, seconds=f"{end_s:.3f}")
    if len(annotation.segments) < case.segments:
        yield Refusal("E_ANNOT_FEW", found=len(annotation.segments), wanted=case.segments, case=case.id)
    # Later segments may overlap (another speaker), but they start in order.
    starts = [segment.start_s for segment in annotation.segments]
    if starts != sorted(starts):
        yield Refusal("E_ANNOT_TIME", what="the segments do not start in order")
    if audio_s is not None and abs(annotation.duration_s - audio_s) > _SLACK_S:
        yield Refusal("W_ANNOT_LENGTH", stated=f"{annotation.duration_s:.3f}", seconds=f"{audio_s:.3f}")
