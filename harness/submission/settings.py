"""What kind of check is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.challenge.spec import Challenge, Layout, Task
from harness.documents.reference import ReferenceDialogue

if TYPE_CHECKING:
    from harness.submission.pairs.inputs import PairInputs

Pair = tuple[str, str]  # task, language
Expected = Mapping[Pair, Mapping[str, ReferenceDialogue]]


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """``expected`` maps (task, language) to the dialogues by id; None when no inputs were given. ``pairs`` are
    the inputs of a full-duplex track."""

    challenge: Challenge
    layout: str = "auto"
    expected: Expected | None = None
    track: str | None = None
    team: str | None = None
    draft: bool = False
    policy: str = "strict"
    from_image: bool = False
    pairs: PairInputs | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One JSONL of a submission: a task in a language. ``dialogues`` are the expected ones, None when unknown."""

    task: Task
    language: str
    layout: Layout
    dialogues: Mapping[str, ReferenceDialogue] | None

    @property
    def jsonl(self) -> str:
        return self.layout.jsonl_path(self.language, self.task.id)

    @property
    def wants_text(self) -> bool:
        return self.task.reply == "text" or bool(self.task.dimension_ids("text"))

    @property
    def wants_labels(self) -> bool:
        return self.task.reply == "labels"


def by_pair(dialogues: Sequence[ReferenceDialogue]) -> Expected:
    """The expected dialogues, grouped by task and language; the first of two with one id stays."""
    found: dict[Pair, dict[str, ReferenceDialogue]] = {}
    for dialogue in dialogues:
        found.setdefault((dialogue.task, dialogue.language), {}).setdefault(dialogue.dialogue_id, dialogue)
    return found
