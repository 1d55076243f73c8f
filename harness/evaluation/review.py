"""What a person should look at after scoring: the flags of every dialogue, and the list that organisers read.

Flags change no score. The list quotes the reply, so it is for organisers and never for other teams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.report import ScoredItem
from harness.documents.verdict import Verdict
from harness.errors import UsageError
from harness.judge import injection_flags
from harness.judge.detectors import CONSTANT, SURPRISING, constant_replies, sample_flags, surprising, text_flags
from harness.judge.prompts import load_rubric
from harness.scoring import ItemPlan, Key, PlannedDialogue

Flags = dict[Key, tuple[str, ...]]
_QUOTED_CHARS = 500
_LISTED_STATES = frozenset({"language_mismatch", "echo"})


def reply_flags(plan: ItemPlan) -> Flags:
    """What every reply that is there is flagged for, by (task, language, dialogue_id): signs in any reply that the
    judge may see, and replies that are all the same."""
    challenge = plan.challenge
    answered = [planned for planned in plan.dialogues if planned.reply is not None]
    found = {planned.key: _own_flags(planned, challenge) for planned in answered}
    for language in challenge.languages:
        texts = {
            planned.key: planned.context()[-1].reply
            for planned in answered
            if planned.reference.language == language and planned.context()
        }
        for key in constant_replies(texts, challenge.review):
            found[key] = (*found[key], CONSTANT)
    return found


def _own_flags(planned: PlannedDialogue, challenge: Challenge) -> tuple[str, ...]:
    task = challenge.tasks[planned.reference.task]
    rubric = _rubric(task.id)
    flags: list[str] = []
    for turn in planned.context():
        flags += injection_flags(turn.reply)
        flags += text_flags(turn.reply, task.dimension_ids(), rubric, challenge.emotions)
    return tuple(dict.fromkeys(flags))


def _rubric(task: str) -> str:
    try:
        return load_rubric(task).template
    except UsageError:  # a challenge of its own need not have rubrics
        return ""


def verdict_flags(plan: ItemPlan, samples: Mapping[Key, Sequence[Verdict]], profile: JudgeProfile) -> Flags:
    """Flags from what the judge said: samples far apart, reasons against marks, text that is unlikely as language."""
    challenge = plan.challenge
    limits: Mapping[str, float] = profile.settings.get("surprise", {})
    found: Flags = {}
    for planned in plan.to_judge:
        task, language, _ = planned.key
        verdicts = samples.get(planned.key, ())
        scales = dict.fromkeys(planned.wanted, challenge.tasks[task].scale)
        flags = sample_flags(verdicts, scales, challenge.review)
        if surprising(verdicts, limits.get(language)):
            flags = (*flags, SURPRISING)
        found[planned.key] = flags
    return found


def merged(*parts: Flags) -> Flags:
    """All flags of each dialogue, each once, in the order found."""
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: tuple(dict.fromkeys(flag for part in parts for flag in part.get(key, ()))) for key in keys}


def review_counts(items: Sequence[ScoredItem]) -> dict[str, int]:
    """For each flag that asks for a person (F_…), how many dialogues carry it."""
    carried = {
        (flag, item.task, item.language, item.dialogue_id)
        for item in items
        for flag in item.flags
        if flag.startswith("F_")
    }
    return dict(sorted(Counter(flag for flag, *_ in carried).items()))


def review_list(
    plan: ItemPlan, items: Sequence[ScoredItem], verdicts: Mapping[Key, Verdict] | None = None
) -> list[dict[str, Any]]:
    """The dialogues that a person should look at, in the order of the plan, each with why, the reply's beginning and
    what the judge said of it: those with a flag for review, and those floored by a rule that reads language (wrong
    language, echo)."""
    why: dict[Key, set[str]] = {}
    for item in items:
        signs = {flag for flag in item.flags if flag.startswith("F_")}
        signs |= {item.state} & _LISTED_STATES
        if signs:
            why.setdefault((item.task, item.language, item.dialogue_id), set()).update(signs)
    return [
        {
            "task": planned.key[0],
            "language": planned.key[1],
            "dialogue_id": planned.key[2],
            "turn_id": planned.turn_id,
            "why": sorted(why[planned.key]),
            "reply": (planned.context()[-1].reply if planned.context() else "")[:_QUOTED_CHARS],
            "reasons": _said((verdicts or {}).get(planned.key)),
        }
        for planned in plan.dialogues
        if planned.key in why
    ]


def _said(verdict: Verdict | None) -> dict[str, str]:
    """A dimension's mark and reason as one line for a person."""
    if verdict is None:
        return {}
    marks = verdict.scores or {}
    names = dict.fromkeys([*marks, *verdict.reasons])
    return {
        name: ": ".join(str(part) for part in (marks.get(name), verdict.reasons.get(name)) if part is not None)[
            :_QUOTED_CHARS
        ]
        for name in names
    }
