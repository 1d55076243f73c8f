"""What is asked of vLLM and how its answers are read: all of the engine that runs without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import tiny_request

from harness.challenge.load import load_challenge
from harness.errors import MachineError
from harness.judge import prompt_digests
from harness.judge.answer import verdict_schema
from harness.judge.engines import Judgement
from harness.judge.engines.vllm import (
    Answer,
    Call,
    as_answer,
    calls,
    collapsed,
    engine_arguments,
    environment,
    judgement,
)
from harness.judge.prompt import build_prompt
from harness.judge.requests import settings_document

CHALLENGE = load_challenge()
PROFILE = CHALLENGE.judges["qwen3-omni-vllm"]
SETTINGS = settings_document(CHALLENGE, PROFILE, prompt_digests())
STRICT, PUBLISHED = (PROFILE.settings["decoding"][name] for name in ("strict", "published"))
PAD = 99


class Letters:
    """A tokenizer of one token a character."""

    def encode(self, text: str) -> list[int]:
        return [1000 + ord(letter) for letter in text]

    def id_of(self, token: str) -> int:
        return PAD


def asked(task: str = "task2", decoding: Any = STRICT, audio: str | None = None) -> tuple[Any, list[Call]]:
    request = replace(tiny_request(CHALLENGE, "Sad, then glad.", task, audio=audio), seed=7)
    prompt = build_prompt(request, SETTINGS)
    ids = [1, 2, *([PAD] * 26 if audio else []), 3]
    tokens: Any = Letters()
    return prompt, calls(request, prompt, ids, tokens, decoding)


def answers(prompt: Any, some: Sequence[Call], text: str) -> list[Answer]:
    """Every mark as likely as its place on the scale."""
    found = []
    for call in some:
        chances = {value[0]: -1.0 * place for place, value in enumerate(call.slot.values)} if call.slot else {}
        found.append(Answer("" if call.slot else text, call.read, "stop", chances))
    return found


def test_a_profile_becomes_arguments_of_the_engine() -> None:
    own = {**PROFILE.settings, "tensor_parallel": 4, "data_parallel": 2}
    found = engine_arguments(own, Path("/weights"))
    assert (found["model"], found["dtype"], found["seed"]) == ("/weights", "bfloat16", 0)
    assert (found["tensor_parallel_size"], found["data_parallel_size"]) == (4, 2)
    assert found["enable_prefix_caching"] is True
    assert found["limit_mm_per_prompt"] == {"audio": 1, "image": 0, "video": 0}
    assert found["trust_remote_code"] is False
    assert environment(own)["VLLM_BATCH_INVARIANT"] == "1"
    assert "VLLM_BATCH_INVARIANT" not in environment({**own, "batch_invariant": False})


def test_the_verdict_is_held_to_the_schema_of_every_engine() -> None:
    prompt, (verdict, *marks) = asked()
    assert verdict.sampling["structured_outputs"] == {"json": verdict_schema(prompt), "disable_any_whitespace": True}
    assert (verdict.sampling["temperature"], verdict.sampling["seed"]) == (0.0, 7)
    assert verdict.tokens == (1, 2, 3)
    assert [call.slot.question.name for call in marks if call.slot] == [each.name for each in prompt.questions]
    for call in marks:
        assert call.sampling["max_tokens"] == 1
        assert call.sampling["allowed_token_ids"] == [1000 + ord(mark) for mark in "135"]
        assert call.tokens[:3] == (1, 2, 3)


def test_the_published_policy_samples_freely() -> None:
    _, (only,) = asked(decoding=PUBLISHED)
    assert only.sampling == {"max_tokens": 16384, "seed": 7, "temperature": 0.6, "top_p": 0.95, "top_k": 20}


def test_a_sound_has_one_placeholder_until_vllm_fills_it_in() -> None:
    prompt, (verdict, *_) = asked("task4", audio="ab" * 32)
    assert verdict.tokens == (1, 2, PAD, 3)
    assert verdict.read == (1, 2, *[PAD] * 26, 3)
    assert verdict.audio == prompt.audio == ("audio/" + "ab" * 32 + ".wav",)
    assert collapsed([PAD, PAD, 1, PAD, PAD], PAD) == (PAD, 1, PAD)
    assert collapsed([5, 5, 1], None) == (5, 5, 1)


def test_an_answer_becomes_marks_reasons_and_expected_marks() -> None:
    prompt, some = asked()
    names = [each.name for each in prompt.questions]
    text = json.dumps({"scores": dict.fromkeys(names, 3), "reasons": dict.fromkeys(names, "Named.")})
    found = judgement(prompt, some, answers(prompt, some, text), STRICT)
    assert isinstance(found, Judgement)
    assert found.scores == dict.fromkeys(names, 3)
    assert found.reasons == dict.fromkeys(names, "Named.")
    assert 1 < found.evidence[f"expected.{names[0]}"] < 3


def test_expected_alone_takes_the_likeliest_mark() -> None:
    prompt, some = asked(decoding={"method": "expected"})
    assert all(call.slot for call in some)
    found = judgement(prompt, some, answers(prompt, some, ""), {"method": "expected"})
    assert isinstance(found, Judgement)
    assert set(found.scores.values()) == {1}


@pytest.mark.parametrize("text", ["", "{", '{"scores": {}}', "```json\n{}\n```", '{"scores": {"A": 5}} {"scores": {}}'])
def test_an_answer_that_is_no_verdict_is_none(text: str) -> None:
    prompt, some = asked()
    found = judgement(prompt, some, answers(prompt, some, text), STRICT)
    assert isinstance(found, MachineError)
    assert found.code == "E_VERDICT"


def test_tokens_that_were_not_audited_void_the_answer() -> None:
    prompt, some = asked()
    given = answers(prompt, some, "{}")
    given[0] = replace(given[0], read=(*given[0].read, PAD))
    found = judgement(prompt, some, given, STRICT)
    assert isinstance(found, MachineError)
    assert found.code == "E_PROMPT_AUDIT"


def test_an_output_of_vllms_shape_is_read() -> None:
    first = {17: SimpleNamespace(logprob=-0.5), 18: SimpleNamespace(logprob=-1.5)}
    only = SimpleNamespace(text="x", logprobs=[first], finish_reason="length")
    found = as_answer(SimpleNamespace(outputs=[only], prompt_token_ids=[1, 2]))
    assert found == Answer("x", (1, 2), "length", {17: -0.5, 18: -1.5})
    bare = SimpleNamespace(text="", logprobs=None, finish_reason="stop")
    assert as_answer(SimpleNamespace(outputs=[bare], prompt_token_ids=[])).chances == {}
