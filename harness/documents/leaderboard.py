"""The table: one row a team, and why a row has no rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.documents.codec import to_plain
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef

# How the note of a row begins whose report waits for failed judgements to be repeated.
INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind one published mean: ``n`` items, and how many of the organisers' list ended in each state
    (states that did not occur are left out)."""

    n: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One team. Numbers are the exact values as floats; ``display`` holds them rounded half up once.

    ``languages`` holds the final of each language; in JSON each is a key of the row itself ("zh", "en").
    ``behind`` has an entry for every mean in ``columns``.
    """

    rank: int | None
    rank_low: int | None = None
    rank_high: int | None = None
    group: str | None = None
    team: str
    display_name: str
    system: str
    late: bool
    baseline: bool
    final: float | None
    missing_weight: dict[str, float] = field(default_factory=dict)
    display: dict[str, str] = field(default_factory=dict)
    languages: dict[str, float | None] = field(default_factory=dict)
    columns: dict[str, float | None] = field(default_factory=dict)
    ci: dict[str, tuple[float, float]] | None = None
    notes: tuple[str, ...] = ()
    behind: dict[str, Behind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """A team that has no score report, and why: an invalid submission, or a run that failed."""

    team: str
    reason: str
    display_name: str = ""
    system: str = ""
    late: bool = False
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Separable:
    """Two neighbours in rank: whether the difference could be one of the dialogues that happened to be asked."""

    above: str
    below: str
    p: float
    hidden_set_required: bool


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals, groups and p-values were drawn. ``rank_counts``: team to rank to the number of draws in which it
    had that rank; empty while a ranked team has no items."""

    draws: int
    level: float
    close_p: float
    seed: str
    fewest_dialogues: int
    without_items: tuple[str, ...]
    rank_counts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """schemas/leaderboard. ``separable`` is empty and ``bootstrap`` None where no items are stored. ``noise`` is the
    share of marks that differ between the samples of one reply, None where the judge was asked once."""

    schema_version: int
    track: str
    phase: str
    policy: str
    challenge: ChallengeRef
    judge: JudgeRef | None
    official: bool
    rows: tuple[Row, ...]
    separable: tuple[Separable, ...] = ()
    bootstrap: Bootstrap | None = None
    noise: float | None = None
    inputs_sha256: str


def leaderboard_plain(board: Leaderboard) -> dict[str, Any]:
    """The JSON shape: ``languages`` become keys of their rows, after ``display``."""
    plain: dict[str, Any] = to_plain(board)
    if board.noise is None:
        del plain["noise"]
    rows = []
    for row in plain["rows"]:
        flat: dict[str, Any] = {}
        for key, value in row.items():
            flat.update(value if key == "languages" else {key: value})
        rows.append(flat)
    return {**plain, "rows": rows}


# Names that a language must not have, for the languages share the row's name space.
ROW_KEYS = frozenset(Row.__dataclass_fields__) - {"languages"}
