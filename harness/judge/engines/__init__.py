"""Judge engines: one file each, one row each in the table. Foreign libraries are imported inside the files only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.documents.verdict import JudgeRequest
from harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an engine says of one request. ``raw`` is what the model gave, before it became marks."""

    scores: dict[str, int]
    reasons: dict[str, str]
    raw: bytes
    evidence: dict[str, float] = field(default_factory=dict)


class JudgeEngine(Protocol):
    """One loaded judge. ``judge`` must not depend on the requests before it."""

    def judge(self, request: JudgeRequest) -> Judgement:
        """Marks for exactly ``request.dimensions``, each out of the task's scale."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """Versions, number format, weight and tokenizer digests."""
        ...


def _likelihood(settings: dict[str, Any], weights: Path) -> JudgeEngine:
    from harness.judge.engines.likelihood import LikelihoodEngine

    return LikelihoodEngine(settings, weights)


ENGINES: dict[str, Callable[[dict[str, Any], Path], JudgeEngine]] = {"likelihood": _likelihood}


def load_engine(settings: dict[str, Any], weights: Path) -> JudgeEngine:
    """The engine that ``settings`` (the document of requests.settings_document) names.

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
    return engine(settings, weights)
