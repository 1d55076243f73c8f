"""Judge engines: one file each, one row each in the table. Foreign libraries are imported inside the files only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.documents.verdict import JudgeRequest
from harness.errors import HarnessError, UsageError


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an engine says of one request. ``raw`` is what the model gave, before it became marks. ``text`` is free
    text that the host must read; there are no scores then."""

    scores: dict[str, int | str]
    reasons: dict[str, str]
    raw: bytes
    evidence: dict[str, float] = field(default_factory=dict)
    text: str | None = None


class JudgeEngine(Protocol):
    """One loaded judge. What it says of a request must depend on that request alone, not on its company in a batch,
    on its place there, or on what came before."""

    @property
    def rows(self) -> int:
        """How many requests at most one call of ``judge`` takes; the engine pads a smaller batch itself."""
        ...

    def shape(self, request: JudgeRequest) -> str:
        """Requests of equal shape may share a batch. Depends on the request alone. Raises HarnessError when this one
        cannot be judged (E_PROMPT, E_PROMPT_AUDIT, E_AUDIO): the others are not touched by it."""
        ...

    def judge(self, requests: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        """For each request of one shape, in order, a judgement with exactly ``request.dimensions``, or why there is
        none. Anything raised concerns the whole batch; the worker then asks one by one."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """Versions, number format, decoding, tokenizer facts."""
        ...


def _likelihood(settings: dict[str, Any], weights: Path, requests: Path) -> JudgeEngine:
    from harness.judge.engines.likelihood import LikelihoodEngine

    return LikelihoodEngine(settings, weights)


def _transformers(settings: dict[str, Any], weights: Path, requests: Path) -> JudgeEngine:
    from harness.judge.engines.qwen3_omni import Qwen3OmniEngine

    return Qwen3OmniEngine(settings, weights, requests)


def _vllm(settings: dict[str, Any], weights: Path, requests: Path) -> JudgeEngine:
    from harness.judge.engines.vllm import VllmEngine

    return VllmEngine(settings, weights, requests)


ENGINES: dict[str, Callable[[dict[str, Any], Path, Path], JudgeEngine]] = {
    "likelihood": _likelihood,
    "transformers": _transformers,
    "vllm": _vllm,
}


def load_engine(settings: dict[str, Any], weights: Path, requests: Path) -> JudgeEngine:
    """The engine that ``settings`` (the document of requests.settings_document) names. ``requests`` is the folder in
    which the requests' audio lies.

    Raises UsageError (E_CONFIG) when this judge image does not have it.
    """
    try:
        engine = ENGINES[settings["engine"]]
    except KeyError as error:
        raise UsageError(
            f"this judge image has no engine {settings.get('engine')!r}",
            code="E_CONFIG",
            hint=f"choose a profile whose engine is one of: {', '.join(ENGINES)}",
        ) from error
    return engine(settings, weights, requests)
