"""One request as a prompt: the rubric, the organisers' dialogue and the team's words, in order, each known for what it
is. An engine turns it into its model's own format; nothing here knows a model.

The rubric's words up to its first placeholder are the same for every item of a task, so engines read them once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.documents.verdict import ContextTurn, JudgeRequest
from harness.errors import UsageError
from harness.judge.prompts import PLACEHOLDER, Rubric, load_rubric
from harness.judge.sanitise import neutral_text

Value = int | str
AUDIO = "audio"
_MARK_DIGITS = 16


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words of the prompt. ``untrusted``: a team wrote them."""

    text: str
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class AudioPart:
    """The reply as sound; ``path`` is inside the request folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Question:
    """One key of the verdict and the values that it may have: marks of a scale, or labels."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The one user message that the judge gets. The first part is trusted text that all items of a task share.

    ``questions`` are what must be answered, in the order of the request's dimensions; ``reasons`` says whether a
    sentence is wanted for each.
    """

    parts: tuple[TextPart | AudioPart, ...]
    questions: tuple[Question, ...]
    reasons: bool = True

    @property
    def shared(self) -> str:
        """The rubric's own words at the start; may be empty."""
        first = self.parts[0] if self.parts else None
        return first.text if isinstance(first, TextPart) and not first.untrusted else ""

    @property
    def audio(self) -> tuple[str, ...]:
        return tuple(part.path for part in self.parts if isinstance(part, AudioPart))

    def text(self, audio: str = "") -> str:
        """All words in order, ``audio`` standing for each sound."""
        return "".join(part.text if isinstance(part, TextPart) else audio for part in self.parts)


def build_prompt(request: JudgeRequest, settings: Mapping[str, Any]) -> Prompt:
    """The prompt of one request; ``settings`` is the document of requests.settings_document.

    The rubric's {{audio}} says where the sound stands; a rubric without it gets the sound first. Raises UsageError
    (E_PROMPT) when the rubric or the settings do not know the task or a dimension.
    """
    rubric = load_rubric(request.task)
    values = _values(request, rubric, settings)
    parts: list[TextPart | AudioPart] = []
    if request.audio is not None and AUDIO not in rubric.placeholders:
        parts.append(AudioPart(request.audio))
    for index, piece in enumerate(PLACEHOLDER.split(rubric.template)):
        parts += [TextPart(piece)] if index % 2 == 0 else values[piece]
    reasons = bool(settings.get("settings", {}).get("reasons", True))
    return Prompt(tuple(_joined(parts)), questions(request, settings), reasons)


def questions(request: JudgeRequest, settings: Mapping[str, Any]) -> tuple[Question, ...]:
    """What this request must have answered, with the allowed values of each."""
    try:
        allowed = settings["tasks"][request.task]["values"]
        return tuple(Question(name, tuple(allowed[name])) for name in request.dimensions)
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"the judge's settings know no values for {request.task} {', '.join(request.dimensions)}",
            code="E_PROMPT",
            hint="make the requests anew from the challenge spec",
        ) from error


def _values(
    request: JudgeRequest, rubric: Rubric, settings: Mapping[str, Any]
) -> dict[str, list[TextPart | AudioPart]]:
    """What stands for each placeholder. A team's words are single untrusted parts."""
    asks_last = settings["tasks"][request.task]["evaluated_turn"] == "last"
    told = request.context[:-1] if asks_last and len(request.context) > 1 else request.context
    known: dict[str, list[TextPart | AudioPart]] = {
        "dialogue": list(_dialogue(request.context)),
        "talk": list(_dialogue(request.context, felt=False)),
        "emotion": [TextPart(_feeling(request.context[-1]))],
        "emotion_path": [TextPart(", ".join(_feeling(turn) for turn in told))],
        "mark": [TextPart(mark_of_item(request))],
        "reply": [TextPart(request.context[-1].reply, untrusted=True)],
        AUDIO: [AudioPart(request.audio)] if request.audio is not None else [],
    }
    unknown = set(rubric.placeholders) - known.keys()
    if unknown:
        raise UsageError(
            f"the rubric of {rubric.task} wants {min(unknown)}, which no prompt has",
            code="E_PROMPT",
            hint=f"the placeholders are {', '.join(sorted(known))}",
        )
    return known


def _dialogue(context: Sequence[ContextTurn], *, felt: bool = True) -> Iterator[TextPart]:
    """The turns before the judged reply, and the user's words that it answers; ``felt`` with the user's emotions."""
    for index, turn in enumerate(context):
        emotion = f" (emotion: {_feeling(turn)})" if felt else ""
        yield TextPart(("\n" if index else "") + f"User{emotion}: {neutral_text(turn.user)}")
        if index + 1 < len(context):
            yield TextPart("\nSystem: ")
            yield TextPart(turn.reply, untrusted=True)


def _feeling(turn: ContextTurn) -> str:
    """The organisers' words too must not hold a mark of the model by accident."""
    return neutral_text(turn.emotion) or "(none)"


def sealed(prompt: Prompt, tokens: Collection[str]) -> Prompt:
    """The prompt with a team's words neutralised for the tokenizer that will read them: ``tokens`` are all its added
    tokens (tokens.special_tokens)."""
    parts = tuple(
        replace(part, text=neutral_text(part.text, tokens)) if isinstance(part, TextPart) and part.untrusted else part
        for part in prompt.parts
    )
    return replace(prompt, parts=parts)


def mark_of_item(request: JudgeRequest) -> str:
    """The line that fences the reply: from the item's digest, and drawn anew for as long as it occurs in what it
    fences. The digest covers the reply itself, so nobody can write its mark into it: that would change the mark. A
    secret of the run would add nothing to that, and would make a run's prompts impossible to repeat."""
    words = "\n".join(turn.user + "\n" + turn.reply for turn in request.context)
    for attempt in range(1 << 16):
        mark = hashlib.sha256(f"mark {attempt} {request.item}".encode()).hexdigest()[:_MARK_DIGITS]
        if mark not in words:
            return mark
    raise UsageError("no mark was found", code="E_PROMPT", hint="report this item")  # 2^16 marks in one reply


def _joined(parts: Sequence[TextPart | AudioPart]) -> Iterator[TextPart | AudioPart]:
    """Empty parts left out, and trusted text that follows trusted text joined, but never onto the shared start."""
    kept = [part for part in parts if isinstance(part, AudioPart) or part.text]
    waiting = ""
    for index, part in enumerate(kept):
        if index and isinstance(part, TextPart) and not part.untrusted:
            waiting += part.text
            continue
        if waiting:
            yield TextPart(waiting)
            waiting = ""
        yield part
    if waiting:
        yield TextPart(waiting)


_SPACE = re.compile(r"\s+")


def one_line(text: str) -> str:
    """A model's words on one line, for a report."""
    return _SPACE.sub(" ", text).strip()
