"""From what a judge answered to one verdict: free text read as published, several samples to a median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.challenge.spec import Challenge, Task
from harness.documents.verdict import JudgeRequest, Verdict
from harness.scoring.published import read_reply

_QUOTED_CHARS = 1000


def published_verdict(verdict: Verdict, text: str, request: JudgeRequest, challenge: Challenge) -> Verdict:
    """The verdict with the marks that the published scripts read out of ``text``. A reply that they cannot read is a
    failed row there too, and is not asked again. ``reasons`` keep the start of the text and the reader's flags."""
    reading = read_reply(text, challenge.tasks[request.task])
    told = {"reply": text[:_QUOTED_CHARS]} | ({"flags": " ".join(reading.flags)} if reading.flags else {})
    if reading.scores is None:
        return replace(
            verdict, scores=None, state="failed", reasons={"failed": f"E_VERDICT: {reading.outcome}", **told}
        )
    return replace(verdict, scores={name: reading.scores[name] for name in request.dimensions}, reasons=told)


def median_verdict(samples: Sequence[Verdict], task: Task) -> Verdict:
    """One verdict for an item asked several times: each dimension's middle value (the lower of two), with its lowest
    and highest place on the scale beside it. One sample is returned as it is; one failed sample fails the item."""
    first = samples[0]
    if len(samples) == 1:
        return first
    broken = next((verdict for verdict in samples if verdict.scores is None), None)
    if broken is not None:
        return replace(broken, sample=first.sample)
    allowed = task.allowed()
    scores, spread = {}, {}
    for name in first.scores or {}:
        places = sorted(allowed[name].index((verdict.scores or {})[name]) for verdict in samples)
        scores[name] = allowed[name][places[(len(places) - 1) // 2]]
        spread[f"spread.{name}"] = places[-1] - places[0]
    return replace(first, scores=scores, evidence={**first.evidence, **spread, "samples": len(samples)})
