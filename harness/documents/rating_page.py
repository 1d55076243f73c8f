"""What human raters hear and see: replies without a name, before they are rendered as a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RatingTurn:
    """One turn of the dialogue: what the user said and felt, what the system replied."""

    user: str
    emotion: str
    reply: str


@dataclass(frozen=True, slots=True)
class RatingItem:
    """One reply to rate. ``id`` is opaque. ``turns`` end with the reply; ``audio`` is a FLAC made of its samples alone,
    so that nothing that a team wrote into its file is in it."""

    id: str
    task: str
    dimensions: tuple[str, ...]
    turns: tuple[RatingTurn, ...]
    audio: bytes


@dataclass(frozen=True, slots=True)
class RatingPage:
    """All items of one language, in the order of their ids, which tells nothing. ``order`` is what each rater's own
    order is made from, together with the rater's name."""

    track: str
    language: str
    order: str
    items: tuple[RatingItem, ...]
