"""What a person should look at in a whole run: what two teams, or two runs of one image, have in common or not."""

from __future__ import annotations

from dataclasses import dataclass

from harness.documents.submission import Resource


@dataclass(frozen=True, slots=True)
class RunFlag:
    """``teams`` are those that it concerns, sorted; one alone is compared with the organisers' inputs or with itself.
    ``count`` of ``of`` replies or files are meant."""

    code: str
    teams: tuple[str, ...]
    message: str
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Declared:
    """What a team said of the attempt that counts; an image says nothing."""

    team: str
    attempt: int
    declarations: dict[str, bool]
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class RunReview:
    """review.json of a run directory. For organisers: no team sees it, and no score depends on it."""

    schema_version: int
    flags: tuple[RunFlag, ...]
    declared: tuple[Declared, ...] = ()
