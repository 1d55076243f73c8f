"""What the judge of behaviour is shown: the talk in calm, the talk in which somebody broke in, and what came after.

Words are put in stretches with their times, as the model's speech is; the organisers' annotation says what was said to
it. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.challenge.duplex import DuplexCase
from harness.documents.duplex import Annotation, DuplexInput, Segment, Transcript, Word

NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``turns`` are (what the user said, what the system said) in order: in calm, up to the break-in, and the break-in
    itself, whose reply is everything that the system said from its start on. ``spoke``: there is such a reply."""

    turns: tuple[tuple[str, str], ...]
    spoke: bool


def behaviour_of(
    item: DuplexInput, case: DuplexCase, clean: Transcript | None, noisy: Transcript, gap_s: float
) -> Behaviour:
    """``clean`` is what the system said to the clean counterpart, None where nobody wrote it down; ``gap_s`` is the
    longest pause within a stretch.

    For speech directed at others the talk begins with the follow-up query: what was said before its end is left out.
    """
    segments = item.annotation.segments
    place = min(case.break_in, len(segments) - 1)
    query, break_in = segments[place - 1], segments[place]
    heard = [word for word in noisy.words if place == 1 or word.start_s >= query.end_s]
    before = [word for word in heard if word.start_s < break_in.start_s]
    after = [word for word in heard if word.start_s >= break_in.start_s]
    moved_s = query.start_s - segments[0].start_s  # where the clean counterpart has the query
    calm = Segment(query.start_s - moved_s, query.end_s - moved_s, query.text)
    turns = (
        (_said([calm]), _stretches(clean.words if clean else (), gap_s)),
        (_said([query]), _stretches(before, gap_s)),
        (_said([break_in]), _stretches(after, gap_s)),
    )
    return Behaviour(turns, bool(after))


def all_said(annotation: Annotation) -> str:
    """Everything that was said to the system, with times."""
    return _said(annotation.segments)


def _said(segments: Iterable[Segment]) -> str:
    return "\n".join(f"{_times(each.start_s, each.end_s)} {one_line(each.text)}" for each in segments)


def _stretches(words: Sequence[Word], gap_s: float) -> str:
    found: list[list[Word]] = []
    for word in words:
        if found and word.start_s - found[-1][-1].end_s <= gap_s:
            found[-1].append(word)
        else:
            found.append([word])
    lines = (f"{_times(part[0].start_s, part[-1].end_s)} {one_line(' '.join(w.text for w in part))}" for part in found)
    return "\n".join(lines) or NOTHING


def _times(start_s: float, end_s: float) -> str:
    return f"[{start_s:.2f}–{end_s:.2f} s]"


def one_line(text: str) -> str:
    """Printable text on one line: a transcript's line break must not look like another speaker's turn."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
