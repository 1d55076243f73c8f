"""From what a team handed in to scored items: what is decided before judging, and what the verdicts add.

One item is one dimension of one evaluated turn. The organisers' list decides which items there are; a submission can
neither add one nor take one away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.challenge.evaluated_turn import evaluated_index, rules_disagree
from harness.challenge.spec import Challenge, JudgeProfile, Policy, Task
from harness.challenge.text_rules import is_empty, text_fault
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import FAULT_STATES, ItemState, JudgeRef, ScoredItem
from harness.documents.submission import ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import ContextTurn, Verdict
from harness.errors import MachineError, UsageError

Key = tuple[str, str, str]  # task, language, dialogue_id
# What a text fault is called where it is only a flag.
TEXT_FLAGS: dict[ItemState, str] = {
    "empty": "I_EMPTY",
    "too_short": "I_TOOSHORT",
    "language_mismatch": "I_LANGUAGE",
    "echo": "I_ECHO",
}
FLAG_GAP = "F_GAP"
FLAG_NO_SPEECH = "I_NOSPEECH"
_LISTED = 5


@dataclass(frozen=True, slots=True)
class PlannedDialogue:
    """One dialogue of the organisers' list. ``index`` is the place of its evaluated turn (None: it has none).

    ``states`` maps each dimension of the task to the state that is known before judging; None means: to be judged.
    """

    reference: ReferenceDialogue
    reply: ReplyDialogue | None
    index: int | None
    states: dict[str, ItemState | None]
    flags: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return (self.reference.task, self.reference.language, self.reference.dialogue_id)

    @property
    def turn_id(self) -> int | None:
        return None if self.index is None else self.reference.turns[self.index].turn_id

    @property
    def wanted(self) -> tuple[str, ...]:
        """The dimensions that the judge must mark, in the order of the spec; empty: no judging is needed."""
        return tuple(dimension for dimension, state in self.states.items() if state is None)

    @property
    def evaluated(self) -> ReplyTurn | None:
        """The team's reply to the evaluated turn."""
        turn_id = self.turn_id
        return next((turn for turn in self.reply.turns if turn.turn_id == turn_id), None) if self.reply else None

    def context(self) -> tuple[ContextTurn, ...]:
        """The turns up to and including the evaluated one: the organisers' side joined with the team's replies by
        turn_id. A reply that is not there is the empty text."""
        if self.index is None:
            return ()
        replies = {turn.turn_id: turn.text or "" for turn in self.reply.turns} if self.reply else {}
        return tuple(
            ContextTurn(turn.turn_id, turn.text or "", turn.emotion or "", replies.get(turn.turn_id, ""))
            for turn in self.reference.turns[: self.index + 1]
        )


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """All dialogues of the organisers' list, in the order of the spec's tasks and languages, then by id.

    ``disputed`` lists those where the two published rules name different evaluated turns.
    """

    challenge: Challenge
    policy: Policy
    track: str
    dialogues: tuple[PlannedDialogue, ...]
    disputed: tuple[Key, ...]

    @property
    def to_judge(self) -> tuple[PlannedDialogue, ...]:
        return tuple(dialogue for dialogue in self.dialogues if dialogue.wanted)


def plan_items(
    references: Sequence[ReferenceDialogue],
    submission: Submission,
    challenge: Challenge,
    policy: Policy,
    layout: str,
    judge: JudgeRef | JudgeProfile,
) -> ItemPlan:
    """Decide every item's state as far as it can be known without the judge.

    Only ranked tasks of the submission's track count. Raises UsageError (E_GOLD) when the references hold a dialogue
    twice, or, under a policy that says so, one that has too few turns for its task's rule.
    """
    plan = _plan_tasks(
        challenge.tasks_of(submission.track, ranked_only=True), references, submission, challenge, policy, layout, judge
    )
    if policy.one_turn_short == "error":
        _refuse_short(plan.dialogues)
    return plan


def plan_unranked(
    references: Sequence[ReferenceDialogue],
    submission: Submission,
    challenge: Challenge,
    policy: Policy,
    layout: str,
    judge: JudgeRef | JudgeProfile,
) -> ItemPlan:
    """As plan_items, for the judged tasks that are not ranked and that the team takes part in, language by language."""
    taking_part = {(reply.task, reply.language) for reply in submission.dialogues}
    tasks = [task for task in challenge.tasks_of(submission.track) if not task.ranked and task.dimensions]
    asked = [each for each in references if (each.task, each.language) in taking_part]
    return _plan_tasks(tasks, asked, submission, challenge, policy, layout, judge)


def _plan_tasks(
    chosen: Sequence[Task],
    references: Sequence[ReferenceDialogue],
    submission: Submission,
    challenge: Challenge,
    policy: Policy,
    layout: str,
    judge: JudgeRef | JudgeProfile,
) -> ItemPlan:
    tasks = {task.id: task for task in chosen}
    expected = sorted(
        (reference for reference in references if reference.task in tasks),
        key=lambda reference: _order(reference, list(tasks), challenge.languages),
    )
    _refuse_duplicates(expected)
    replies = {(reply.task, reply.language, reply.dialogue_id): reply for reply in submission.dialogues}
    planned: list[PlannedDialogue] = []
    disputed: list[Key] = []
    for reference in expected:
        key = (reference.task, reference.language, reference.dialogue_id)
        excluded = challenge.excluded(layout, reference.task, reference.dialogue_id)
        planned.append(
            _plan(
                reference,
                replies.get(key),
                tasks[reference.task],
                challenge,
                excluded=excluded,
                judge=judge,
                floors=policy.floors,
            )
        )
        if not excluded and _disputed(reference, tasks[reference.task], challenge):
            disputed.append(key)
    return ItemPlan(challenge, policy, submission.track, tuple(planned), tuple(disputed))


def _order(reference: ReferenceDialogue, tasks: list[str], languages: Sequence[str]) -> tuple[int, int, str]:
    if reference.language not in languages:
        raise UsageError(
            f"the references hold the language {reference.language!r}, which the challenge does not have",
            code="E_GOLD",
            hint="check the references and --challenge",
        )
    return (tasks.index(reference.task), languages.index(reference.language), reference.dialogue_id)


def _disputed(reference: ReferenceDialogue, task: Task, challenge: Challenge) -> bool:
    emotions = [turn.emotion for turn in reference.turns]
    return task.evaluated_turn != "last" and rules_disagree(emotions, challenge.neutral_emotion)


def _refuse_duplicates(expected: Sequence[ReferenceDialogue]) -> None:
    for before, after in pairwise(expected):
        if (before.task, before.language, before.dialogue_id) == (after.task, after.language, after.dialogue_id):
            raise UsageError(
                f"the references hold {after.dialogue_id} of {after.task} ({after.language}) twice",
                code="E_GOLD",
                hint="keep one of them",
            )


def _refuse_short(planned: Sequence[PlannedDialogue]) -> None:
    short = [dialogue for dialogue in planned if "skipped" in dialogue.states.values()]
    if short:
        named = ", ".join("/".join(dialogue.key) for dialogue in short[:_LISTED])
        raise UsageError(
            f"{len(short)} dialogue(s) of the references have no turn to evaluate: {named}"
            + (" …" if len(short) > _LISTED else ""),
            code="E_GOLD",
            hint="correct their emotions, or score with --policy published, which leaves such dialogues out",
        )


def _plan(
    reference: ReferenceDialogue,
    reply: ReplyDialogue | None,
    task: Task,
    challenge: Challenge,
    *,
    excluded: bool,
    judge: JudgeRef | JudgeProfile,
    floors: bool,
) -> PlannedDialogue:
    emotions = [turn.emotion for turn in reference.turns]
    index = evaluated_index(emotions, task.evaluated_turn, challenge.neutral_emotion)
    everything: ItemState | None = "excluded" if excluded else "skipped" if index is None else None
    if everything is None and reply is None:
        everything = "missing"
    if everything is not None or index is None:
        return PlannedDialogue(reference, reply, index, dict.fromkeys(task.dimension_ids(), everything))
    planned = PlannedDialogue(reference, reply, index, {})
    text = _text_state(planned, challenge)
    flags = planned.evaluated.flags if planned.evaluated else ()
    if text in TEXT_FLAGS and not floors:
        # Without floors a poor text goes to the judge like any other, as the published scripts send it.
        flags, text = (*flags, TEXT_FLAGS[text]), None
    faults = {"text": text, "audio": _audio_state(planned.evaluated)}
    states: dict[str, ItemState | None] = {
        d.id: faults[d.modality] or ("not_judged" if f"{task.id}.{d.id}" in judge.not_judged else None)
        for d in task.dimensions
    }
    if None in states.values() and any(is_empty(turn.reply) for turn in planned.context()[:-1]):
        flags = (*flags, FLAG_GAP)
    return PlannedDialogue(reference, reply, index, states, flags)


def _text_state(planned: PlannedDialogue, challenge: Challenge) -> ItemState | None:
    turn = planned.evaluated
    if turn is None or turn.text is None:
        return "missing"
    user = planned.context()[-1].user
    return text_fault(turn.text, user, planned.reference.language, challenge.text)


def _audio_state(turn: ReplyTurn | None) -> ItemState | None:
    if turn is None or turn.audio is None:
        return "missing"
    return None if turn.audio.state == "ok" else turn.audio.state


def score_items(
    plan: ItemPlan,
    verdicts: Mapping[Key, Verdict],
    flags: Mapping[Key, Sequence[str]] | None = None,
) -> tuple[ScoredItem, ...]:
    """Every item of the plan with its state and, where it counts, its score.

    A wanted item without a verdict, or whose verdict failed, is ``judge_failed``. Audio in which the judge's voice
    activity detection found less speech than the spec asks for is ``silent``. ``flags`` adds to the items of a
    dialogue, for instance what a detector of injected instructions found.
    Raises MachineError (E_SCORE) when a verdict holds something that is no mark of the task's scale.
    """
    return tuple(
        item
        for planned in plan.dialogues
        for item in _score(planned, plan, verdicts.get(planned.key), tuple((flags or {}).get(planned.key, ())))
    )


def _score(
    planned: PlannedDialogue, plan: ItemPlan, verdict: Verdict | None, flags: tuple[str, ...]
) -> Iterator[ScoredItem]:
    task, language, dialogue_id = planned.key
    spec = plan.challenge.tasks[task]
    quiet = _no_speech(verdict, plan.challenge.audio.min_speech_s)
    for dimension in spec.dimensions:
        state, score, extra = planned.states[dimension.id], None, flags
        if quiet and dimension.modality == "audio" and state in (None, "not_judged"):
            state, extra = "silent", (*flags, FLAG_NO_SPEECH)
        if state is None:
            score = _mark(verdict, spec, dimension.id)
            state = "judge_failed" if score is None else "scored"
        elif plan.policy.floors and state in FAULT_STATES:
            score = spec.lowest
        all_flags = tuple(dict.fromkeys((*planned.flags, *extra)))
        yield ScoredItem(task, language, dialogue_id, planned.turn_id, dimension.id, score, state, all_flags)


def _no_speech(verdict: Verdict | None, least_s: float) -> bool:
    speech_s = verdict.evidence.get("speech_s") if verdict else None
    if speech_s is None:
        return False
    if isinstance(speech_s, bool) or not isinstance(speech_s, int | float) or not math.isfinite(speech_s):
        raise _no_score(f"a verdict holds {speech_s!r} as seconds of speech")
    return speech_s < least_s


def _mark(verdict: Verdict | None, task: Task, dimension: str) -> int | None:
    if verdict is None or verdict.state == "failed" or verdict.scores is None or dimension not in verdict.scores:
        return None
    mark = verdict.scores[dimension]
    if type(mark) is not int or mark not in task.scale:
        raise _no_score(f"a verdict gives {mark!r} for {task.id}.{dimension}, which is no mark of its scale")
    return mark


def _no_score(message: str) -> MachineError:
    return MachineError(message, code="E_SCORE", hint="judge again; stored verdicts must not be edited")
