"""Qwen3-Omni through vLLM, thin: what is asked and how an answer is read are pure functions; vLLM does the rest.

Each request becomes one call for the verdict, held to its JSON Schema, and one for each dimension's `expected` mark,
which share their start through prefix caching. The asynchronous engine is used because vLLM offers data parallelism
there; several GPUs and machines are vLLM's own business. It has not been run: docs/explanation/judge.md says what was.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.documents.codec import canonical_json
from harness.documents.verdict import JudgeRequest
from harness.errors import HarnessError, MachineError, UsageError
from harness.hearing.voice_activity import RATE_HZ
from harness.judge.answer import read_answer, verdict_schema
from harness.judge.engines import Judgement
from harness.judge.engines.skeleton import Skeleton, Slot, beside, best, scores_text
from harness.judge.engines.tokens import AUDIO_PAD, QwenTokens, mel_frames
from harness.judge.prompt import Prompt, Value, build_prompt

METHODS = ("json", "expected", "sample")
_UNSEEN = -1e4  # the log-probability of a mark that vLLM does not list: it is nearly impossible


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the engine: tokens with one placeholder a sound, the sounds' paths, keyword arguments of
    SamplingParams (``structured_outputs`` those of StructuredOutputsParams), and the tokens that vLLM must have read
    in the end. ``slot`` is set when the call is about one dimension's marks."""

    tokens: tuple[int, ...]
    audio: tuple[str, ...]
    sampling: Mapping[str, Any]
    read: tuple[int, ...]
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: ``chances`` are the log-probabilities of the first token by id."""

    text: str
    read: tuple[int, ...]
    finish: str = "stop"
    chances: Mapping[int, float] = field(default_factory=dict)


def engine_arguments(settings: Mapping[str, Any], weights: Path) -> dict[str, Any]:
    """Keyword arguments of vLLM's AsyncEngineArgs from a profile's own settings."""
    return {
        "model": str(weights),
        "dtype": str(settings["dtype"]),
        "seed": 0,
        "max_model_len": int(settings["context_tokens"]),
        "max_num_seqs": int(settings["rows"]),
        "tensor_parallel_size": int(settings.get("tensor_parallel", 1)),
        "data_parallel_size": int(settings.get("data_parallel", 1)),
        "enable_prefix_caching": True,
        "limit_mm_per_prompt": {"audio": 1, "image": 0, "video": 0},
        # The marks of `expected` are compared after all others are masked.
        "logprobs_mode": "processed_logprobs",
        # Sampling is what the profile says, not what the checkpoint's generation_config.json suggests.
        "generation_config": "vllm",
        "trust_remote_code": False,
        "disable_log_stats": True,
    }


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Variables that vLLM reads when it is imported."""
    invariant = {"VLLM_BATCH_INVARIANT": "1"} if settings.get("batch_invariant", True) else {}
    return {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1", **invariant}


def calls(
    request: JudgeRequest, prompt: Prompt, ids: Sequence[int], tokens: QwenTokens, decoding: Mapping[str, Any]
) -> list[Call]:
    """What is asked for one request; ``ids`` are the audited tokens of its prompt."""
    pad = tokens.id_of(AUDIO_PAD) if prompt.audio else None
    found = []
    if decoding["method"] != "expected":
        found.append(Call(collapsed(ids, pad), prompt.audio, _sampling(request, prompt, decoding), tuple(ids)))
    if decoding["method"] != "sample":
        for slot in Skeleton.of(prompt.questions, tokens.encode).slots:
            if slot.width > 1:
                continue  # a label of several tokens has no one log-probability
            whole = (*ids, *slot.opening)
            firsts = [value[0] for value in slot.values]
            sampling = {
                "temperature": 0.0,
                "max_tokens": 1,
                "allowed_token_ids": firsts,
                "logprobs": len(firsts),
                "seed": request.seed,
            }
            found.append(Call(collapsed(whole, pad), prompt.audio, sampling, whole, slot))
    return found


def _sampling(request: JudgeRequest, prompt: Prompt, decoding: Mapping[str, Any]) -> dict[str, Any]:
    common = {"max_tokens": int(decoding["max_tokens"]), "seed": request.seed}
    if decoding["method"] == "sample":
        return common | {name: decoding[name] for name in ("temperature", "top_p", "top_k")}
    schema = {"json": verdict_schema(prompt), "disable_any_whitespace": True}
    return common | {"temperature": 0.0, "structured_outputs": schema}


def collapsed(ids: Sequence[int], pad: int | None) -> tuple[int, ...]:
    """Each run of placeholders as one: vLLM puts in as many as the sound needs."""
    kept = (token for place, token in enumerate(ids) if token != pad or not place or ids[place - 1] != pad)
    return tuple(kept)


def judgement(
    prompt: Prompt, asked: Sequence[Call], answers: Sequence[Answer], decoding: Mapping[str, Any]
) -> Judgement | HarnessError:
    """The judgement of one request out of the answers to its calls, or why there is none."""
    for call, answer in zip(asked, answers, strict=True):
        if answer.read != call.read:
            return MachineError(
                "vLLM read other tokens than were audited", code="E_PROMPT_AUDIT", hint="check its version"
            )
    marks: list[tuple[str, Value]] = []
    evidence: dict[str, float] = {}
    for call, answer in zip(asked, answers, strict=True):
        if call.slot is not None:
            logs = [answer.chances.get(value[0], _UNSEEN) for value in call.slot.values]
            evidence |= beside(call.slot.question, logs)
            marks.append((call.slot.question.name, best(call.slot.question, logs)))
    if decoding["method"] == "expected":
        if len(marks) != len(prompt.questions):
            return UsageError("`expected` needs values of one token", code="E_CONFIG", hint="choose another decoding")
        return Judgement(dict(marks), {}, canonical_json([scores_text(marks) + "}", evidence]), evidence)
    first = answers[0]
    if decoding["method"] == "sample":
        return Judgement({}, {}, first.text.encode(), text=first.text)
    try:
        scores, reasons = read_answer(first.text, prompt)
    except HarnessError as error:
        return error
    return Judgement(scores, reasons, canonical_json([first.text, evidence]), evidence)


class VllmEngine:
    """``settings["settings"]`` as Qwen3OmniEngine, and ``tensor_parallel``, ``data_parallel``, ``batch_invariant``."""

    def __init__(self, settings: dict[str, Any], weights: Path, requests: Path) -> None:
        own: dict[str, Any] = settings["settings"]
        self._decoding: dict[str, Any] = own["decoding"][settings["reading"]]
        if self._decoding["method"] not in METHODS:
            raise UsageError(
                f"the engine knows no decoding {self._decoding['method']!r}",
                code="E_CONFIG",
                hint=f"choose one of: {', '.join(METHODS)}",
            )
        self._settings, self._folder = settings, requests
        self._tokens = QwenTokens(weights, budget=int(own["context_tokens"]))
        os.environ.update(environment(own))
        self._loop = asyncio.new_event_loop()
        self._engine = self._loop.run_until_complete(_started(engine_arguments(own, weights)))
        self._count = 0

    @property
    def rows(self) -> int:
        return int(self._settings["settings"]["rows"])

    def shape(self, request: JudgeRequest) -> str:
        """vLLM batches what it likes; only that the prompt passes the audit is seen to here."""
        self._prepared(request)
        return ""

    def judge(self, requests: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        return self._loop.run_until_complete(self._all(requests))

    async def _all(self, requests: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        return list(await asyncio.gather(*(self._one(request) for request in requests)))

    async def _one(self, request: JudgeRequest) -> Judgement | HarnessError:
        prompt, asked = self._prepared(request)
        answers = await asyncio.gather(*(self._answer(call) for call in asked))
        return judgement(prompt, asked, answers, self._decoding)

    def _prepared(self, request: JudgeRequest) -> tuple[Prompt, list[Call]]:
        prompt = build_prompt(request, self._settings)
        frames = [mel_frames(self._folder / path) for path in prompt.audio]
        ids = self._tokens.prompt(prompt, frames, answer=int(self._decoding.get("max_tokens", 1024))).ids
        return prompt, calls(request, prompt, ids, self._tokens, self._decoding)

    async def _answer(self, call: Call) -> Answer:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        from harness.judge.engines.speech import read_pcm16

        sampling = dict(call.sampling)
        if "structured_outputs" in sampling:
            sampling["structured_outputs"] = StructuredOutputsParams(**sampling["structured_outputs"])
        prompt: dict[str, Any] = {"prompt_token_ids": list(call.tokens)}
        if call.audio:
            sounds = [(read_pcm16(self._folder / path).astype("float32") / 32768, RATE_HZ) for path in call.audio]
            prompt["multi_modal_data"] = {"audio": sounds}
        self._count += 1
        params = SamplingParams(**sampling, output_kind=RequestOutputKind.FINAL_ONLY)
        outputs = [each async for each in self._engine.generate(prompt, params, request_id=str(self._count))]
        return as_answer(outputs[-1])

    def fingerprint(self) -> dict[str, Any]:
        from importlib.metadata import version

        own = self._settings["settings"]
        names = ("vllm", "torch", "transformers", "xgrammar")
        return {
            "engine": "vllm",
            "versions": {name: version(name) for name in names},
            "dtype": own["dtype"],
            "rows": self.rows,
            "decoding": own["decoding"],
            "environment": environment(own),
            "parallel": {name: own.get(name, 1) for name in ("tensor_parallel", "data_parallel")},
        }


def as_answer(output: Any) -> Answer:
    """A vLLM RequestOutput as an Answer."""
    only = output.outputs[0]
    chances = {int(token): float(each.logprob) for token, each in (only.logprobs[0] if only.logprobs else {}).items()}
    return Answer(str(only.text), tuple(output.prompt_token_ids), str(only.finish_reason), chances)


async def _started(arguments: dict[str, Any]) -> Any:
    """The engine starts within a running loop, which then is its own."""
    from vllm import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
