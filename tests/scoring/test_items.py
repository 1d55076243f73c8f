"""Which items there are, what is known before judging, and what the verdicts and the policy make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.challenge.load import load_challenge
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.report import JudgeRef, ScoredItem
from harness.documents.submission import AudioState, ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import Verdict
from harness.errors import MachineError, UsageError
from harness.scoring.items import ItemPlan, plan_items, score_items

CHALLENGE = load_challenge()
STRICT, PUBLISHED = CHALLENGE.policies["strict"], CHALLENGE.policies["published"]
JUDGE = JudgeRef("full", "f", True)
SMALL = JudgeRef("small", "s", False, ("task4.vocal_empathy_congruence", "task4.audio_quality_naturalness"))
TEXT, VOICE, SOUND = CHALLENGE.tasks["task4"].dimension_ids()
SAID = [
    "I lost the keys to my flat this morning",
    "Now the landlord is angry with me too",
    "My sister came and we laughed about it in the end",
]
REPLIES = [
    "That sounds stressful, did you find them?",
    "Being shouted at on top of that is hard to bear.",
    "It is good that your sister made the day lighter.",
]


def reference(task: str = "task4", name: str = "d1", emotions: Any = ("sad", "neutral", "fear")) -> ReferenceDialogue:
    turns = tuple(ReferenceTurn(i + 1, SAID[i], emotion, f"{i}.wav") for i, emotion in enumerate(emotions))
    return ReferenceDialogue(task, "en", name, turns)


def reply(
    task: str = "task4", name: str = "d1", texts: Any = REPLIES, audio: AudioState | None = "ok"
) -> ReplyDialogue:
    wav = None if audio is None else ReplyAudio("x.wav", audio)
    return ReplyDialogue(task, "en", name, tuple(ReplyTurn(i + 1, text, wav) for i, text in enumerate(texts)))


def submission(*dialogues: ReplyDialogue) -> Submission:
    return Submission("alpha", "Alpha", "one", "seed", "track1", dialogues)


def plan(references: list[ReferenceDialogue], *dialogues: ReplyDialogue, policy: Any = STRICT, **more: Any) -> ItemPlan:
    return plan_items(
        references, submission(*dialogues), CHALLENGE, policy, **{"layout": "seed", "judge": JUDGE, **more}
    )


def verdict(task: str = "task4", mark: int = 3, **more: Any) -> Verdict:
    scores = dict.fromkeys(CHALLENGE.tasks[task].dimension_ids(), mark)
    values: dict[str, Any] = {"scores": scores, "state": "scored", "evidence": {"speech_s": 2.0}}
    return Verdict(item="k", sample=0, reasons={}, raw_sha256="r", attempts=1, **{**values, **more})


def outcome(items: tuple[ScoredItem, ...]) -> dict[str, tuple[str, Any]]:
    return {item.dimension: (item.state, item.score) for item in items}


def scored(planned: ItemPlan, **verdicts: Verdict) -> dict[str, tuple[str, Any]]:
    keyed = {("task4", "en", name): found for name, found in verdicts.items()}
    return outcome(score_items(planned, keyed))


def test_a_good_reply_is_judged_on_every_dimension() -> None:
    planned = plan([reference()], reply())
    assert [d.wanted for d in planned.to_judge] == [(TEXT, VOICE, SOUND)]
    assert scored(planned, d1=verdict()) == dict.fromkeys((TEXT, VOICE, SOUND), ("scored", 3))


def test_the_context_ends_with_the_evaluated_turn_and_joins_by_turn_id() -> None:
    swapped = replace(reply(), turns=tuple(reversed(reply().turns)))
    dialogue = plan([reference(emotions=("sad", "fear", "neutral"))], swapped).dialogues[0]
    assert dialogue.turn_id == 2
    assert [(t.turn_id, t.user, t.emotion, t.reply) for t in dialogue.context()] == [
        (1, SAID[0], "sad", REPLIES[0]),
        (2, SAID[1], "fear", REPLIES[1]),
    ]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (None, "missing"),
        ("", "empty"),
        (":", "too_short"),
        ("Oh well", "too_short"),
        ("你的姐姐让这一天变得轻松了，真好。", "language_mismatch"),
        (SAID[2], "echo"),
    ],
)
def test_a_text_fault_floors_the_text_dimension_only(text: str | None, state: str) -> None:
    planned = plan([reference()], reply(texts=[*REPLIES[:2], text]))
    assert planned.dialogues[0].wanted == (VOICE, SOUND)
    assert scored(planned, d1=verdict(mark=4)) == {TEXT: (state, 1), VOICE: ("scored", 4), SOUND: ("scored", 4)}


@pytest.mark.parametrize(
    ("audio", "state"), [(None, "missing"), ("missing", "missing"), ("silent", "silent"), ("invalid", "invalid")]
)
def test_an_audio_fault_floors_the_audio_dimensions_only(audio: Any, state: str) -> None:
    planned = plan([reference()], reply(audio=audio))
    assert planned.dialogues[0].wanted == (TEXT,)
    assert scored(planned, d1=verdict()) == {TEXT: ("scored", 3), VOICE: (state, 1), SOUND: (state, 1)}


def test_a_text_fault_floors_all_three_dimensions_of_a_text_task() -> None:
    planned = plan([reference("task2")], reply("task2", texts=[*REPLIES[:2], ""], audio=None))
    assert planned.to_judge == ()
    assert set(outcome(score_items(planned, {})).values()) == {("empty", 1)}


def test_a_missing_dialogue_floors_everything_and_a_foreign_one_counts_for_nothing() -> None:
    planned = plan([reference()], reply(name="not-asked-for"))
    assert scored(planned) == dict.fromkeys((TEXT, VOICE, SOUND), ("missing", 1))


def test_a_missing_evaluated_turn_is_missing() -> None:
    planned = plan([reference()], reply(texts=REPLIES[:2]))
    assert scored(planned) == dict.fromkeys((TEXT, VOICE, SOUND), ("missing", 1))


@pytest.mark.parametrize("audio", [None, "silent", "invalid"])
def test_published_has_no_floors(audio: Any) -> None:
    planned = plan([reference(), reference(name="d2")], reply(audio=audio), policy=PUBLISHED)
    items = score_items(planned, {("task4", "en", "d1"): verdict()})
    assert [item.score for item in items] == [3, None, None, None, None, None]
    assert {item.state for item in items[3:]} == {"missing"}


def test_published_sends_a_poor_text_to_the_judge_and_flags_it() -> None:
    planned = plan([reference()], reply(texts=[*REPLIES[:2], "是的，我明白你的感受。"]), policy=PUBLISHED)
    assert planned.to_judge[0].wanted == (TEXT, VOICE, SOUND)
    item = score_items(planned, {("task4", "en", "d1"): verdict()})[0]
    assert (item.state, item.score, item.flags) == ("scored", 3, ("I_LANGUAGE",))


@pytest.mark.parametrize("speech_s", [0.0, 0.29])
def test_audio_without_speech_is_silent(speech_s: float) -> None:
    planned = plan([reference()], reply())
    items = score_items(planned, {("task4", "en", "d1"): verdict(evidence={"speech_s": speech_s})})
    assert outcome(items) == {TEXT: ("scored", 3), VOICE: ("silent", 1), SOUND: ("silent", 1)}
    assert [item.flags for item in items] == [(), ("I_NOSPEECH",), ("I_NOSPEECH",)]


def test_enough_speech_or_no_measure_is_not_silent() -> None:
    planned = plan([reference()], reply())
    for evidence in ({"speech_s": 0.3}, {}, {"speech_s": None}):
        assert scored(planned, d1=verdict(evidence=evidence))[VOICE] == ("scored", 3)


def test_what_the_judge_cannot_judge_is_not_judged() -> None:
    planned = plan([reference(), reference(name="d2")], reply(), reply(name="d2", audio="silent"), judge=SMALL)
    assert [d.wanted for d in planned.to_judge] == [(TEXT,), (TEXT,)]
    found = verdict(scores={TEXT: 5})
    items = score_items(planned, {("task4", "en", name): found for name in ("d1", "d2")})
    assert outcome(items[:3]) == {TEXT: ("scored", 5), VOICE: ("not_judged", None), SOUND: ("not_judged", None)}
    assert outcome(items[3:]) == {TEXT: ("scored", 5), VOICE: ("silent", 1), SOUND: ("silent", 1)}


@pytest.mark.parametrize("found", [None, verdict(state="failed", scores=None), verdict(scores={})])
def test_without_a_usable_verdict_the_judgement_failed(found: Verdict | None) -> None:
    planned = plan([reference()], reply())
    assert scored(planned, **({"d1": found} if found else {})) == dict.fromkeys(
        (TEXT, VOICE, SOUND), ("judge_failed", None)
    )


@pytest.mark.parametrize("change", [{"scores": {TEXT: 6}}, {"scores": {TEXT: True}}, {"scores": {TEXT: 3.0}}])
def test_a_verdict_with_what_is_no_mark_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MachineError) as caught:
        scored(plan([reference()], reply()), d1=verdict(**change))
    assert caught.value.code == "E_SCORE"


@pytest.mark.parametrize("speech_s", [float("nan"), True, "2"])
def test_a_measure_that_is_no_number_is_refused(speech_s: Any) -> None:
    with pytest.raises(MachineError) as caught:
        scored(plan([reference()], reply()), d1=verdict(evidence={"speech_s": speech_s}))
    assert caught.value.code == "E_SCORE"


def test_one_turn_short_stops_strict_before_judging_and_is_skipped_by_published() -> None:
    references = [reference(), reference(name="calm", emotions=("neutral", "sad", "neutral"))]
    with pytest.raises(UsageError) as caught:
        plan(references, reply())
    assert (caught.value.code, "calm" in str(caught.value)) == ("E_GOLD", True)
    items = score_items(plan(references, reply(), policy=PUBLISHED), {})
    assert {(i.dialogue_id, i.state, i.turn_id) for i in items if i.dialogue_id == "calm"} == {
        ("calm", "skipped", None)
    }


def test_a_dialogue_twice_in_the_references_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        plan([reference(), reference()], reply())
    assert caught.value.code == "E_GOLD"


def test_exclusions_hold_in_their_layout_only() -> None:
    names = ["task2_4_en_0002_0014", "task2_5_zh_0015_0003", "task2_5_zh_00150"]
    references = [reference("task3", name, ("neutral",)) for name in names]
    release = score_items(plan(references, layout="release"), {})
    assert {i.dialogue_id: i.state for i in release} == dict(
        zip(names, ["excluded", "excluded", "missing"], strict=True)
    )
    assert {i.score for i in release if i.state == "excluded"} == {None}
    assert {i.state for i in score_items(plan(references), {})} == {"missing"}


def test_an_excluded_dialogue_needs_no_evaluated_turn() -> None:
    calm = replace(reference("task3", "task2_4_en_0002_0014"), turns=())
    assert plan([calm], layout="release").dialogues[0].states["Clarity_Logic"] == "excluded"


@pytest.mark.parametrize("gap", ["", None, " "])
def test_a_gap_before_the_evaluated_turn_is_judged_and_flagged(gap: str | None) -> None:
    planned = plan([reference()], reply(texts=[gap, *REPLIES[1:]]))
    items = score_items(planned, {("task4", "en", "d1"): verdict()})
    assert {(item.state, item.flags) for item in items} == {("scored", ("F_GAP",))}
    shorter = replace(reply(), turns=reply().turns[1:])
    assert plan([reference()], shorter).dialogues[0].flags == ("F_GAP",)


def test_flags_of_the_reply_and_of_detectors_are_carried() -> None:
    dialogue = reply()
    last = replace(dialogue.turns[2], flags=("F_INVISIBLE",))
    planned = plan([reference()], replace(dialogue, turns=(*dialogue.turns[:2], last)))
    key = ("task4", "en", "d1")
    items = score_items(planned, {key: verdict()}, {key: ["F_INJ", "F_INVISIBLE"]})
    assert {item.flags for item in items} == {("F_INVISIBLE", "F_INJ")}


def test_order_is_the_spec_s_and_does_not_depend_on_the_inputs() -> None:
    references = [reference(task, name) for task in ("task4", "task2") for name in ("b", "a")]
    chinese = replace(reference("task2", "z"), language="zh")
    items = score_items(plan([*references, chinese]), {})
    assert [(i.task, i.language, i.dialogue_id) for i in items[::3]] == [
        ("task2", "zh", "z"),
        ("task2", "en", "a"),
        ("task2", "en", "b"),
        ("task4", "en", "a"),
        ("task4", "en", "b"),
    ]
    assert items == score_items(plan([chinese, *reversed(references)]), {})


def test_unranked_tasks_have_no_items_and_unknown_languages_are_refused() -> None:
    assert plan([replace(reference(), task="task1")]).dialogues == ()
    with pytest.raises(UsageError) as caught:
        plan([replace(reference(), language="fr")])
    assert caught.value.code == "E_GOLD"


def test_dialogues_on_which_the_published_rules_disagree_are_listed() -> None:
    assert plan([reference(emotions=("sad", "fear", "anger"))]).disputed == (("task4", "en", "d1"),)
    assert plan([reference()]).disputed == ()
