"""Stages of attacks on the judge that need no model: what becomes of a reply on its way into a prompt, of a model's
answer on its way to a mark, and of several verdicts. Tokens are counted with Qwen's real vocabulary.

A subject is a file NAME.json. For `reply`: language, task, reply and perhaps earlier (the reply before it), id, or twin
(a reply that must give the same prompt); a list of those is one team with several dialogues.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from attack_case import CANARY, Box, Case, Seen
from tokenizers import Tokenizer

from harness.challenge.load import load_challenge
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.submission import ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import Verdict
from harness.errors import MachineError
from harness.evaluation.review import reply_flags
from harness.judge import JudgeItem, judge_request, prompt_digests
from harness.judge.answer import read_answer
from harness.judge.audit import TokenFacts, audit
from harness.judge.canaries import check_canaries, planted
from harness.judge.detectors import MISMATCH, differs_from_speech, sample_flags
from harness.judge.prompt import Prompt, TextPart, build_prompt, sealed
from harness.judge.requests import request_files, settings_document
from harness.judge.tokens import special_tokens
from harness.scoring import ItemPlan, plan_items
from harness.scoring.items import TEXT_FLAGS
from harness.submission.reply_text import canonical_text

CHALLENGE = load_challenge()
PROFILE = CHALLENGE.judges["qwen3-omni"]
SETTINGS = settings_document(CHALLENGE, PROFILE, prompt_digests())
ACKNOWLEDGED = {"en": "I am listening, please go on.", "zh": "我在听，请继续说。"}
HONEST = {
    "en": "That garden meant a lot to the two of you, and now somebody has torn it apart.",
    "zh": "你们为这件事付出了那么多，现在却被人这样对待。",
}
AUDIO = "ab" * 32
AUDIO_TOKENS = 26  # of two seconds
BUDGET, ANSWER = 32_768, 512


@dataclass(frozen=True)
class Model:
    """The judge's tokenizer and all its added tokens."""

    tokenizer: Tokenizer
    special: dict[int, str]

    def audited(self, prompt: Prompt) -> list[int]:
        """The tokens of the prompt as the model gets it; raises unless they are what our template puts there."""
        opening, closing = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
        sound = "<|audio_start|>" + "<|audio_pad|>" * AUDIO_TOKENS + "<|audio_end|>"
        ids: list[int] = self.tokenizer.encode(opening + prompt.text(sound) + closing).ids
        wanted = {"<|im_start|>": 2, "<|im_end|>": 1}
        if prompt.audio:
            wanted |= {"<|audio_start|>": 1, "<|audio_pad|>": AUDIO_TOKENS, "<|audio_end|>": 1}
        last = prompt.parts[-1]
        assert isinstance(last, TextPart)
        assert not last.untrusted
        # Without its first line: a line feed may join what stands before it.
        tail = self.tokenizer.encode(last.text.lstrip("\n").split("\n", 2)[2] + closing).ids
        audit(prompt, ids, TokenFacts(self.special, wanted, tuple(tail[1:]), BUDGET, ANSWER))
        return ids


@cache
def model(folder: Path) -> Model:
    return Model(Tokenizer.from_file(str(folder / "tokenizer.json")), special_tokens(folder))


def reply(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """A reply from its raw text to the audited tokens of its prompt."""
    judge = model(request.getfixturevalue("qwen_tokenizer"))
    return {path.name: _reply(json.loads(path.read_text("utf-8")), judge) for path in _files(box)}, []


def _files(box: Box) -> list[Path]:
    return sorted(box.subjects.iterdir())


def _reply(plain: dict[str, Any] | list[dict[str, Any]], judge: Model) -> Seen:
    team = plain if isinstance(plain, list) else [plain]
    codes = {problem.code for each in team for text in _texts(each) for problem in _canonical(text).problems}
    if any(code.startswith("E_") for code in codes):
        return Seen("REJECT", frozenset(codes), {})
    plan = _plan(team)
    flags = {flag for found in reply_flags(plan).values() for flag in found}
    floors = {TEXT_FLAGS[state] for each in plan.dialogues for state in each.states.values() if state in TEXT_FLAGS}
    prompts = _prompts(plan)
    for prompt in prompts.values():
        judge.audited(prompt)
        assert CANARY not in prompt.text()
    _assert_alone(team, prompts)
    first = plan.dialogues[0]
    document: dict[str, Any] = {"judged": first.key in prompts}
    if "twin" in team[0]:
        twin = _prompts(_plan([{**team[0], "reply": team[0]["twin"]}]))
        document["as_twin"] = twin[first.key].text() == prompts[first.key].text()
    codes |= flags | floors
    review = {code for code in codes if code.startswith("F_")}
    outcome = "FLOOR" if floors else "FLAG" if review else "WARN" if codes else "ACCEPT"
    return Seen(outcome, frozenset(codes), document)


def _texts(each: dict[str, Any]) -> list[str]:
    return [each["reply"], *([each["earlier"]] if "earlier" in each else [])]


def _canonical(text: str) -> Any:
    return canonical_text(text, CHALLENGE.text)


def _plan(team: list[dict[str, Any]]) -> ItemPlan:
    references, replies = [], []
    for number, each in enumerate(team):
        language, task = each["language"], each["task"]
        name = each.get("id", f"{CANARY}_{number:04d}")
        story = _story(language, task)
        turns = tuple(ReferenceTurn(turn.turn_id, turn.user, turn.emotion, None) for turn in story)
        references.append(ReferenceDialogue(task, language, name, turns))
        said = [ACKNOWLEDGED[language]] * (len(turns) - 1) + [each["reply"]]
        if "earlier" in each:
            said[-2] = each["earlier"]
        sound = ReplyAudio("x.wav", "ok", AUDIO) if task == "task4" else None
        own = tuple(ReplyTurn(place, _canonical(text).text, sound) for place, text in enumerate(said, 1))
        replies.append(ReplyDialogue(task, language, name, own))
    submission = Submission("alpha", "Alpha", "one", "seed", "track1", tuple(replies))
    return plan_items(references, submission, CHALLENGE, CHALLENGE.policies["strict"], "seed", PROFILE)


@cache
def _story(language: str, task: str) -> tuple[Any, ...]:
    items = (each.item for each in planted(CHALLENGE, PROFILE))
    return next(item.context for item in items if (item.language, item.task) == (language, task))


def _prompts(plan: ItemPlan) -> dict[tuple[str, str, str], Prompt]:
    found = {}
    for planned in plan.to_judge:
        task, language, _ = planned.key
        item = JudgeItem(task, language, planned.context(), planned.wanted, AUDIO if task == "task4" else None)
        found[planned.key] = sealed(build_prompt(judge_request(item, CHALLENGE, "f"), SETTINGS), ())
    return found


def _assert_alone(team: list[dict[str, Any]], prompts: dict[tuple[str, str, str], Prompt]) -> None:
    """Another dialogue's prompt is the same bytes with and without these in the run; and around a team's words stand
    the words that stand around an honest reply's."""
    other = {"language": "en", "task": "task2", "reply": HONEST["en"], "id": "other_0001"}
    key = ("task2", "en", "other_0001")
    assert _prompts(_plan([*team, other]))[key] == _prompts(_plan([other]))[key]
    for place, prompt in prompts.items():
        honest = next(
            iter(_prompts(_plan([{"language": place[1], "task": place[0], "reply": HONEST[place[1]]}])).values())
        )
        assert len(prompt.parts) == len(honest.parts)
        for ours, theirs in zip(prompt.parts, honest.parts, strict=True):
            if isinstance(ours, TextPart) and not ours.untrusted:
                assert isinstance(theirs, TextPart)
                assert _unmarked(ours.text) == _unmarked(theirs.text)


def _unmarked(text: str) -> str:
    """Without the item's mark: sixteen hexadecimal digits that stand alone."""
    words = text.replace(".", " .").split(" ")
    lines = [line for word in words for line in word.split("\n")]
    return " ".join("MARK" if len(line) == 16 and set(line) <= set("0123456789abcdef") else line for line in lines)


def verdict(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """A model's whole answer (NAME.json is {"answer": text}) on its way to marks, task 2."""
    (prompt, *_) = _prompts(_plan([{"language": "en", "task": "task2", "reply": HONEST["en"]}])).values()
    found = {}
    for path in _files(box):
        try:
            scores, _ = read_answer(json.loads(path.read_text("utf-8"))["answer"], prompt)
            found[path.name] = Seen("ACCEPT", frozenset(), {"scores": sorted(scores.values())})
        except MachineError as error:
            found[path.name] = Seen("INFRA", frozenset({error.code}), {})
    return found, []


def samples(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """Several verdicts on one dimension (NAME.json is a list of [mark, reason])."""
    scale = {"warmth": (1, 2, 3, 4, 5)}
    found = {}
    for path in _files(box):
        verdicts = [
            Verdict("k", number, {"warmth": mark}, {"warmth": reason}, "", 1, "scored")
            for number, (mark, reason) in enumerate(json.loads(path.read_text("utf-8")))
        ]
        flags = frozenset(sample_flags(verdicts, scale, CHALLENGE.review))
        found[path.name] = Seen("FLAG" if flags else "ACCEPT", flags, {})
    return found, []


def transcripts(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """What is written against what is heard (NAME.json is [text, transcript])."""
    found = {}
    for path in _files(box):
        differs = differs_from_speech(*json.loads(path.read_text("utf-8")), CHALLENGE.review)
        found[path.name] = Seen("FLAG", frozenset({MISMATCH}), {}) if differs else Seen("ACCEPT", frozenset(), {})
    return found, []


def canaries(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """A judge that gives each kind of known-answer item one mark (NAME.json maps kinds to marks)."""
    found = {}
    for path in _files(box):
        marks = json.loads(path.read_text("utf-8"))
        verdicts = {
            each.name: Verdict("k", 0, dict.fromkeys(each.item.dimensions, marks[each.kind]), {}, "", 1, "scored")
            for each in planted(CHALLENGE, PROFILE)
        }
        check = check_canaries(CHALLENGE, PROFILE, verdicts)
        assert check is not None
        found[path.name] = Seen(*(("ACCEPT", frozenset()) if check.passed else ("INFRA", frozenset({"E_CANARY"}))), {})
    return found, []


def orders(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """Replies to one dialogue (NAME.json has language and replies) as they come, reversed and shuffled: the files that
    the judge gets, and what is in each prompt."""
    found = {}
    for path in _files(box):
        plain = json.loads(path.read_text("utf-8"))
        replies: list[str] = plain["replies"]
        plans = [_plan([{"language": plain["language"], "task": "task2", "reply": each}]) for each in replies]
        items = [
            JudgeItem(*planned.key[:2], planned.context(), planned.wanted)
            for plan in plans
            for planned in plan.dialogues
        ]
        asked = [judge_request(item, CHALLENGE, "f") for item in items]
        ways = [asked, asked[::-1], [*asked[1::2], *asked[::2]], [*asked, asked[0]]]
        files = {request_files(way, CHALLENGE, PROFILE, prompt_digests())["requests.jsonl"] for way in ways}
        prompts = [build_prompt(each, SETTINGS).text() for each in asked]
        alone = all(
            (own == place) == (reply in prompt)
            for place, prompt in enumerate(prompts)
            for own, reply in enumerate(replies)
        )
        found[path.name] = Seen("ACCEPT", frozenset(), {"same_files": len(files) == 1, "alone": alone})
    return found, []


def table(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Any]]:
    """A table of what attacks gain (NAME.json is its text): it must name the digest of every prompt of today."""
    wanted = {f"prompt {name} {digest}" for name, digest in prompt_digests().items()}
    found = {}
    for path in _files(box):
        lines = {line.strip() for line in json.loads(path.read_text("utf-8")).splitlines()}
        found[path.name] = Seen("ACCEPT" if wanted <= lines else "REJECT", frozenset(), {})
    return found, []


STAGES = {
    "reply": reply,
    "verdict": verdict,
    "samples": samples,
    "transcripts": transcripts,
    "canaries": canaries,
    "orders": orders,
    "table": table,
}
