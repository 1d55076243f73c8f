"""Full-duplex scenarios as the spec tells them: what each input is measured for, and how the totals are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

Group = Literal["interruption", "rejection"]
Value = Literal["RESPOND", "RESUME", "rejection"]


@dataclass(frozen=True, slots=True)
class DuplexCase:
    """One kind of input. A scenario is one case, or the mean of its parts (third-party speech: before and after).

    ``value`` says what the case is worth: the share of a behaviour label, or of outputs whose first word comes after
    the reference segment. ``reference`` is the index of the segment that delays run from, ``keeps_zero`` counts a
    delay of exactly 0, ``segments`` is how many the annotation must have, ``clean`` whether there is a clean
    counterpart, ``folders`` are the names of the case's folder in the published data. ``break_in`` is the index of the
    segment that the system is spoken over with, the last one where there are fewer; the query stands before it.
    """

    scenario: str
    part: Literal["before", "after"] | None
    group: Group
    value: Value
    reference: int
    keeps_zero: bool
    segments: int
    clean: bool
    folders: tuple[str, ...]
    break_in: int = 1

    @property
    def id(self) -> str:
        return self.scenario if self.part is None else f"{self.scenario}_{self.part}"


@dataclass(frozen=True, slots=True)
class DuplexTotals:
    """How sub-totals become a score. Weights are exact and add up to 1; the baseline's delay is worth
    ``baseline_points``, the smallest of the cohort 100."""

    weights: dict[str, Fraction]
    baseline_points: int
    clamp_delay_score: bool
    score_decimals: int
    delay_decimals: int
    value_decimals: int
    label_decimals: int


@dataclass(frozen=True, slots=True)
class DuplexLayout:
    """Where outputs lie: ``output`` is the place of an output, by the {path} of its input without .wav."""

    id: str
    root: str
    output: str
    pdf: str
    manifest: Literal["required", "optional"]

    def output_path(self, input_path: str) -> str:
        return self.output.format(path=input_path)

    @property
    def ending(self) -> str:
        """What the path of every output ends with."""
        return self.output.format(path="")


@dataclass(frozen=True, slots=True)
class LatencyRules:
    """What a run that measures delays asks of its machine. ``warm_up`` inputs come first in each folder and are
    answered for nothing; before the start the machine is watched for ``sample_s`` at a time, for up to ``wait_s``,
    until at most the share ``max_busy`` of its processors is in use. The same share may be used by others meanwhile."""

    warm_up: int = 2
    sample_s: float = 1.0
    wait_s: float = 60.0
    max_busy: float = 0.05


@dataclass(frozen=True, slots=True)
class RecogniserSpec:
    """Who writes down one language: ``engine`` is how it is run, ``model`` and ``revision`` what is run."""

    engine: str
    model: str
    revision: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DuplexRules:
    """Everything of the spec's ``[duplex]`` table. Times are seconds. ``unanswered_s`` is the least that policy strict
    counts an answer with that never came; ``recognisers`` are by profile and language."""

    track: str
    voice_activity: str
    user_gap_s: float
    model_gap_s: float
    length_tolerance_s: float
    max_excess_s: float
    excluded: tuple[str, ...]
    cases: tuple[DuplexCase, ...]
    totals: DuplexTotals
    layouts: dict[str, DuplexLayout]
    latency: LatencyRules = LatencyRules()
    unanswered_s: float = 5.0
    recognisers: dict[str, dict[str, RecogniserSpec]] = field(default_factory=dict)

    def case(self, scenario: str, part: str | None) -> DuplexCase | None:
        """The case of a key's line; None when the spec has none."""
        return next((case for case in self.cases if (case.scenario, case.part) == (scenario, part)), None)

    def scenarios(self, group: Group | None = None) -> tuple[str, ...]:
        """Scenario ids in the order of the spec."""
        return tuple(dict.fromkeys(case.scenario for case in self.cases if group in (None, case.group)))

    def cases_of(self, scenario: str) -> tuple[DuplexCase, ...]:
        return tuple(case for case in self.cases if case.scenario == scenario)


def build_duplex(plain: dict[str, Any]) -> DuplexRules:
    """From a table that its schema accepts."""
    totals = plain["totals"]
    return DuplexRules(
        **{key: plain[key] for key in ("track", "voice_activity", "user_gap_s", "model_gap_s")},
        length_tolerance_s=plain["length_tolerance_s"],
        max_excess_s=plain["max_excess_s"],
        excluded=tuple(plain["excluded"]),
        cases=tuple(_case(case) for case in plain["cases"]),
        totals=DuplexTotals(**{**totals, "weights": {name: Fraction(w) for name, w in totals["weights"].items()}}),
        layouts={name: DuplexLayout(id=name, **layout) for name, layout in plain["layouts"].items()},
        latency=LatencyRules(**plain.get("latency", {})),
        unanswered_s=plain.get("unanswered_s", 5.0),
        recognisers={
            profile: {language: RecogniserSpec(**spec) for language, spec in specs.items()}
            for profile, specs in plain.get("recognisers", {}).items()
        },
    )


def _case(case: dict[str, Any]) -> DuplexCase:
    return DuplexCase(
        scenario=case["scenario"],
        part=case.get("part"),
        group=case["group"],
        value=case["value"],
        reference=case["reference"],
        keeps_zero=case.get("keeps_zero", False),
        segments=case["segments"],
        clean=case["clean"],
        folders=tuple(case["folders"]),
        break_in=case.get("break_in", 1),
    )


def duplex_problems(plain: dict[str, Any], tracks: dict[str, Any]) -> list[str]:
    """What the schema cannot say of the table."""
    problems = []
    if tracks.get(plain["track"], {}).get("kind") != "duplex":
        problems.append(f"/duplex/track: {plain['track']!r} is no full-duplex track")
    weights = [Fraction(weight) for weight in plain["totals"]["weights"].values()]
    if sum(weights) != 1 or min(weights) <= 0:
        problems.append("/duplex/totals/weights: weights must be positive and add up to 1")
    seen: set[tuple[str, str | None]] = set()
    for index, case in enumerate(plain["cases"]):
        key = (case["scenario"], case.get("part"))
        if key in seen:
            problems.append(f"/duplex/cases/{index}: the case stands twice")
        seen.add(key)
        if case["reference"] >= case["segments"]:
            problems.append(
                f"/duplex/cases/{index}: the reference segment is not among the {case['segments']} asked for"
            )
    for group in ("interruption", "rejection"):
        if not any(case["group"] == group for case in plain["cases"]):
            problems.append(f"/duplex/cases: no case belongs to {group}")
    return problems
