"""The embedded judge: a small language model that is never asked for a mark, only how likely words are.

Deterministic: one thread, fp32, one request at a time; nothing of one request is kept for the next but likelihoods of
texts that are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.documents.codec import canonical_json
from harness.documents.verdict import JudgeRequest
from harness.errors import HarnessError, MachineError
from harness.judge import behaviour
from harness.judge.contrasts import Contrast, Probe, View, contrast_for, mark_of
from harness.judge.engines import Judgement
from harness.judge.engines.language_model import LanguageModel
from harness.judge.injection import versions
from harness.judge.prompts import contrast_texts

BEHAVIOUR = "behaviour"
WINDOW = 16  # tokens of the stretch whose surprise is evidence
REPLY_TOKENS = 2048  # of a reply; what comes after is not looked at, and evidence `cut_tokens` says how much that is
CUT = "cut_tokens"


class LikelihoodEngine:
    """``settings`` names a contrast and, for each language, thresholds for every "task.dimension"."""

    def __init__(self, settings: dict[str, Any], weights: Path) -> None:
        self._tasks: dict[str, Any] = settings["tasks"]
        self._neutral: str = settings["neutral_emotion"]
        self._contrasts: dict[str, str] = settings["settings"]["contrasts"]
        self._thresholds: dict[str, dict[str, list[float]]] = settings["settings"]["thresholds"]
        self._floors: dict[str, float] = settings["settings"].get("floors", {})
        self._measures_surprise = bool(settings["settings"].get("surprise"))
        self._model = LanguageModel(weights)

    @property
    def rows(self) -> int:
        return 1

    def shape(self, request: JudgeRequest) -> str:
        return ""

    def judge(self, requests: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        return [self._one(request) for request in requests]

    def _one(self, request: JudgeRequest) -> Judgement:
        return self._label(request) if request.dimensions == (BEHAVIOUR,) else self._marks(request)

    def _label(self, request: JudgeRequest) -> Judgement:
        """A label out of two contrasts. Of what speaks to the judge all versions must say the same."""
        texts = contrast_texts(request.language)
        labels, told = [], []
        for reply in versions(request.context[-1].reply):
            talk = behaviour.talk_of(request, reply)
            if not talk.new:
                labels.append(behaviour.UNKNOWN)
                continue
            wanted = behaviour.contrasts(talk, texts)
            known = self._model.log_likelihoods([probe for contrast in wanted.values() for probe in contrast.probes])
            values = {label: _value(contrast, known) for label, contrast in wanted.items()}
            told.append(values)
            labels.append(behaviour.label_of(values, self._floors))
        shown = "; ".join(f"{label} {value:+.4f}" for values in told for label, value in values.items())
        reason = {BEHAVIOUR: f"nats a token: {shown}; floors {self._floors}" if told else "nothing new was said"}
        evidence = {f"contrast.{label}": value for label, value in told[0].items()} if told else {}
        raw = canonical_json([request.item, told])
        return Judgement({BEHAVIOUR: behaviour.agreed(labels)}, reason, raw, evidence)

    def _marks(self, request: JudgeRequest) -> Judgement:
        """Marks by contrast. A reply that speaks to the judge is looked at with and without that, and the lowest mark
        counts: asking cannot help. Of a very long reply the start is judged."""
        reply, left_out = self._model.cut(request.context[-1].reply, REPLY_TOKENS)
        request = replace(request, context=(*request.context[:-1], replace(request.context[-1], reply=reply)))
        values = [self.values(request, reply) for reply in versions(request.context[-1].reply) if reply.strip()]
        scores: dict[str, int | str] = {}
        reasons, evidence = {}, {}
        for dimension in request.dimensions:
            name = f"{request.task}.{dimension}"
            value = min((value[dimension] for value in values), default=0.0)
            thresholds = self._thresholds[request.language][name]
            scores[dimension] = mark_of(value, thresholds, self._tasks[request.task]["scale"])
            reasons[dimension] = f"{self._contrasts[name]} {value:+.4f} nats a token; marks part at {thresholds}"
            evidence[f"contrast.{dimension}"] = value
        if left_out:
            evidence[CUT] = float(left_out)
        if self._measures_surprise and request.dimensions:
            evidence["surprise"] = round(self._model.peak_surprise(self._alone(request), WINDOW), 4)
        return Judgement(scores, reasons, canonical_json([request.item, values]), evidence)

    def _alone(self, request: JudgeRequest) -> Probe:
        """The whole reply after a story that says nothing of this dialogue."""
        texts = contrast_texts(request.language)
        view = View((), (), request.context[-1].reply, self._neutral, texts)
        return Probe(view.nothing, view.target)

    def values(self, request: JudgeRequest, reply: str) -> dict[str, float]:
        """Every wanted dimension's contrast for ``reply``, in nats a token."""
        asks_last = self._tasks[request.task]["evaluated_turn"] == "last"
        view = View.of(request, reply, self._neutral, contrast_texts(request.language), asks_last=asks_last)
        contrasts = {
            dimension: contrast_for(self._contrasts[f"{request.task}.{dimension}"])(view)
            for dimension in request.dimensions
        }
        known = self._model.log_likelihoods([probe for contrast in contrasts.values() for probe in contrast.probes])
        return {dimension: _value(contrast, known) for dimension, contrast in contrasts.items()}

    def fingerprint(self) -> dict[str, Any]:
        return {"engine": "likelihood", **self._model.fingerprint()}


def _value(contrast: Contrast, known: dict[Probe, tuple[float, int]]) -> float:
    """The mean difference a token. Raises MachineError (E_VERDICT) when the model gave no number."""
    if not contrast.pairs:
        return 0.0
    total = 0.0
    for first, second in contrast.pairs:
        (likely, tokens), (base, _) = known[first], known[second]
        total += (likely - base) / tokens
    value = total / len(contrast.pairs)
    if not math.isfinite(value):
        raise MachineError("the model gave no number", code="E_VERDICT", hint="judge again")
    return round(value, 6)
