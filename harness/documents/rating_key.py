"""What the organiser keeps when raters get a blinded page: which reply an item of the page is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlindedItem:
    team: str
    language: str
    dialogue_id: str


@dataclass(frozen=True, slots=True)
class RatingKey:
    """schemas/rating-key: the page's opaque item ids to what they stand for."""

    schema_version: int
    track: str
    seed: str
    items: dict[str, BlindedItem]
