"""The last look at a prompt before a model sees it: the tokens must be those that our own template puts there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import MachineError
from harness.judge.prompt import Prompt


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What must be true of one prompt's tokens.

    ``special``: every added token of the pinned tokenizer, by id. ``wanted``: how often each may and must occur, by
    its text (turn marks of the template, audio placeholders from the length of our own audio); absent means never.
    ``tail``: the ids with which the prompt must end, the rubric's last words and the generation prompt.
    ``budget``: the most tokens that prompt and answer may have together, and ``answer`` those kept for the answer.
    """

    special: Mapping[int, str]
    wanted: Mapping[str, int]
    tail: tuple[int, ...]
    budget: int
    answer: int


def audit(prompt: Prompt, token_ids: Sequence[int], facts: TokenFacts) -> None:
    """Raises MachineError (E_PROMPT_AUDIT), and the prompt is not sent, when anything differs from ``facts``."""
    found = Counter(facts.special[token] for token in token_ids if token in facts.special)
    for name in sorted(found.keys() | facts.wanted.keys()):
        if found[name] != facts.wanted.get(name, 0):
            raise _refused(f"{name!r} occurs {found[name]} times, not {facts.wanted.get(name, 0)}")
    if facts.tail and tuple(token_ids[-len(facts.tail) :]) != facts.tail:
        raise _refused("it does not end with the rubric's own words")
    if len(token_ids) + facts.answer > facts.budget:
        raise _refused(f"its {len(token_ids)} tokens leave no room for the answer within {facts.budget}")
    if not prompt.questions:
        raise _refused("it asks nothing")


def _refused(what: str) -> MachineError:
    return MachineError(f"a prompt was not sent: {what}", code="E_PROMPT_AUDIT", hint="report the item; judge again")
