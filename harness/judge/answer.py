"""The verdict as JSON: one schema for every engine that can be held to it, and one strict reader of what came."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import MachineError
from harness.judge.prompt import Prompt, one_line

REASON_CHARS = 240
# Printable text without quotes and backslashes: a reason is read by people and needs no escapes. Its length is bounded
# by the decoder, not here: a counted repetition costs the grammar compiler seven seconds.
REASON_PATTERN = "^[ !#-\\[\\]-~\u00a1-\U0010ffff]*$"


def verdict_schema(prompt: Prompt) -> dict[str, Any]:
    """The JSON Schema of ``{"scores": {…}, "reasons": {…}}``: keys in the order of the questions, values out of their
    lists, each reason one line of text. It drives constrained decoding, so it holds nothing but what is enforced."""
    scores = {question.name: {"enum": list(question.values)} for question in prompt.questions}
    properties: dict[str, Any] = {"scores": _object(scores)}
    if prompt.reasons:
        reason = {"type": "string", "pattern": REASON_PATTERN}
        properties["reasons"] = _object({question.name: reason for question in prompt.questions})
    return _object(properties)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(text: str, prompt: Prompt) -> tuple[dict[str, int | str], dict[str, str]]:
    """Scores and reasons of one whole answer. Nothing is repaired.

    Raises MachineError (E_VERDICT) unless it is exactly one JSON object of the schema: no fence, no duplicate key, no
    key more or less, every value of its list and its type.
    """
    try:
        plain = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _unusable(f"it is not JSON ({error})") from error
    wanted = {question.name: question.values for question in prompt.questions}
    if not isinstance(plain, dict) or plain.keys() != {"scores", *(["reasons"] if prompt.reasons else [])}:
        raise _unusable("it has other keys than a verdict")
    scores, reasons = plain["scores"], plain.get("reasons", {})
    if not isinstance(scores, dict) or scores.keys() != wanted.keys():
        raise _unusable("it marks other dimensions than were asked")
    if not all(any(type(value) is type(mark) and value == mark for mark in wanted[n]) for n, value in scores.items()):
        raise _unusable("it holds what is no allowed value")
    if not isinstance(reasons, dict) or (prompt.reasons and reasons.keys() != wanted.keys()):
        raise _unusable("it gives reasons for other dimensions than were asked")
    if not all(isinstance(reason, str) for reason in reasons.values()):
        raise _unusable("its reasons are not texts")
    return scores, {name: one_line(reason)[:REASON_CHARS] for name, reason in reasons.items()}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _unusable(what: str) -> MachineError:
    return MachineError(f"the judge's answer cannot be used: {what}", code="E_VERDICT", hint="judge again")
