"""The challenge as typed values. Pure data: loading is in load.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from harness.challenge.duplex import DuplexRules
from harness.challenge.reading import AudioRules, ReadLimits

# Fields of a turn that an emotion recognition task predicts; the references hold the true ones under the same names.
LABEL_FIELDS = ("surface_emotion", "deep_emotion")
TrackKind = Literal["dialogue", "duplex"]
Modality = Literal["text", "audio"]
EvaluatedTurn = Literal["last", "second_non_neutral", "last_non_neutral"]
PolicyName = Literal["strict", "published"]


@dataclass(frozen=True, slots=True)
class Dimension:
    """What is marked: ``id`` is the JSON key, ``modality`` says which fault of a reply floors it. ``values`` are what
    a judge may answer where that is not the task's scale, for instance labels."""

    id: str
    modality: Modality
    values: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One task. ``scale`` lists the allowed marks in rising order; empty for tasks that no judge marks.
    ``hidden_dialogues`` is how many the hidden set has in each language, 0 when that is not known."""

    id: str
    track: str
    title: str
    ranked: bool
    evaluated_turn: EvaluatedTurn
    scale: tuple[int, ...]
    reply: Literal["labels", "text", "audio"]
    dimensions: tuple[Dimension, ...]
    audio_required: Literal["none", "all", "evaluated"] = "none"
    hidden_dialogues: int = 0

    @property
    def lowest(self) -> int:
        return self.scale[0]

    def dimension_ids(self, modality: Modality | None = None) -> tuple[str, ...]:
        return tuple(d.id for d in self.dimensions if modality in (None, d.modality))

    def allowed(self) -> dict[str, tuple[int | str, ...]]:
        """What a judge may answer, by dimension; without those that no judge can answer."""
        return {d.id: d.values or self.scale for d in self.dimensions if d.values or self.scale}


@dataclass(frozen=True, slots=True)
class Track:
    """One track. ``terms`` maps "task" or "task.dimension" to its exact weight, ``language_weights`` likewise;
    ``human`` maps a phase to the "task.dimension" names that human raters score in it."""

    id: str
    title: str
    kind: TrackKind
    archive: str
    decimals: int
    terms: dict[str, Fraction] = field(default_factory=dict)
    language_weights: dict[str, Fraction] = field(default_factory=dict)
    human: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where files lie in a submission. ``names`` maps a task id to the layout's name for it."""

    id: str
    root: str
    jsonl: str
    audio: str
    pdf: str
    manifest: Literal["required", "optional"]
    names: dict[str, str]

    def jsonl_path(self, language: str, task: str) -> str:
        return self.jsonl.format(language=language, name=self.names[task])

    def audio_path(self, language: str, task: str, dialogue_id: str, turn_id: int) -> str:
        return self.audio.format(language=language, name=self.names[task], dialogue_id=dialogue_id, turn_id=turn_id)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Dialogues that count for nobody. A prefix matches itself and ``prefix_…``, never ``prefix0…``."""

    layout: str
    task: str
    ids: tuple[str, ...]
    prefixes: tuple[str, ...]

    def covers(self, layout: str, task: str, dialogue_id: str) -> bool:
        if (layout, task) != (self.layout, self.task):
            return False
        return dialogue_id in self.ids or any(
            dialogue_id == prefix or dialogue_id.startswith(prefix + "_") for prefix in self.prefixes
        )


@dataclass(frozen=True, slots=True)
class TextRules:
    max_chars: int
    max_bytes: int
    max_combining: int
    invisible_flag: int
    min_han: int
    min_words: int
    echo_similarity: int
    han_share: Fraction
    han_language: str


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """When a person should look at a reply (flags only, no score depends on them). Percentages, counts, steps."""

    constant_percent: int = 90
    constant_items: int = 3
    mismatch_percent: int = 50
    unstable_steps: int = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """How faults count. See docs/explanation and the spec's comments."""

    id: PolicyName
    floors: bool
    denominator: Literal["expected", "scored"]
    failed_judgement: Literal["block", "drop"]
    one_turn_short: Literal["error", "skip"]
    reply_reading: Literal["strict", "published"]


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Resources of one container run: bytes, seconds, counts."""

    wall_s: int
    stop_grace_s: int
    memory_bytes: int
    cpus: float
    pids: int
    tmp_bytes: int
    tmp_inodes: int
    shm_bytes: int
    output_bytes: int
    output_inodes: int
    log_bytes: int
    nofile: int


@dataclass(frozen=True, slots=True)
class JudgeProfile:
    """A judge. ``settings`` is what its engine needs (thresholds, contrasts, decoding); it enters the fingerprint.
    ``canaries`` maps a kind of known-answer item to the lowest and highest mean mark it may get, and at most
    ``canaries_tolerated`` of them may lie outside; they are planted in every container (``canaries_always``) or once
    for each fingerprint. Bands that are ``canaries_provisional`` were never set from the judge's own marks, and
    ``official`` is false for as long as they are."""

    id: str
    official: bool
    engine: str
    model: str
    not_judged: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    canaries: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    canaries_tolerated: int = 0
    canaries_always: bool = True
    canaries_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How doubt about ranks is measured: draws of the bootstrap, the level of the intervals, and the p-value from
    which on two neighbours are too close to tell apart without the hidden set."""

    draws: int
    level: Fraction
    close_p: Fraction


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge. ``digest`` is of the parsed spec, so comments and spacing do not change it."""

    id: str
    title: str
    digest: str
    languages: tuple[str, ...]
    emotions: tuple[str, ...]
    neutral_emotion: str
    deadline: str
    max_attempts: int
    max_faulty_attempts: int
    min_pages: int
    tracks: dict[str, Track]
    tasks: dict[str, Task]
    layouts: dict[str, Layout]
    exclusions: tuple[Exclusion, ...]
    text: TextRules
    audio: AudioRules
    policies: dict[str, Policy]
    read_limits: ReadLimits
    run_limits: RunLimits
    judge_attempts: int
    judges: dict[str, JudgeProfile]
    uncertainty: Uncertainty | None = None
    duplex: DuplexRules | None = None
    review: ReviewRules = field(default_factory=ReviewRules)

    def tasks_of(self, track: str, *, ranked_only: bool = False) -> tuple[Task, ...]:
        """The track's tasks in the order of the spec."""
        return tuple(t for t in self.tasks.values() if t.track == track and (t.ranked or not ranked_only))

    def excluded(self, layout: str, task: str, dialogue_id: str) -> bool:
        return any(exclusion.covers(layout, task, dialogue_id) for exclusion in self.exclusions)
