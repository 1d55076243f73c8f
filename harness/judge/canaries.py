"""Known-answer items: planted among the judged ones, and marks outside their bands stop the publication of a run.

A judge whose weights, tokenizer, prompt or library went wrong marks these differently. They are judged in the same
container as the teams' replies. Where an engine gives equal bytes for equal requests, the spec lets a passed check
stand for as long as the judge's fingerprint does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from harness.challenge.evaluated_turn import evaluated_index
from harness.challenge.spec import Challenge, JudgeProfile, Task
from harness.documents.report import CanaryCheck
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.errors import UsageError
from harness.judge.requests import JudgeItem, judge_request
from harness.resources import data_dir


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted item: ``kind`` names its band."""

    name: str
    kind: str
    item: JudgeItem


def planted(challenge: Challenge, profile: JudgeProfile) -> tuple[Canary, ...]:
    """The canaries of this challenge that ``profile`` can judge, in a fixed order; none when it has no bands.

    Only text dimensions are asked about: the canaries have no audio. Raises UsageError (E_CONFIG) when the canary
    files cannot be read.
    """
    if not profile.canaries:
        return ()
    found = [canary for language in challenge.languages for canary in _of(language)]
    return tuple(canary for each in found if (canary := _judgeable(each, challenge, profile)) is not None)


def _judgeable(canary: Canary, challenge: Challenge, profile: JudgeProfile) -> Canary | None:
    task = challenge.tasks.get(canary.item.task)
    wanted = task.dimension_ids("text") if task else ()
    wanted = tuple(name for name in wanted if f"{canary.item.task}.{name}" not in profile.not_judged)
    if task is None or not wanted or canary.kind not in profile.canaries:
        return None
    context = _evaluated(canary.item.context, task, challenge)
    return Canary(canary.name, canary.kind, JudgeItem(canary.item.task, canary.item.language, context, wanted))


def _evaluated(told: tuple[ContextTurn, ...], task: Task, challenge: Challenge) -> tuple[ContextTurn, ...]:
    """The turns up to the one that the task's rule evaluates, which gets the reply. Raises UsageError (E_CONFIG)."""
    index = evaluated_index([turn.emotion for turn in told], task.evaluated_turn, challenge.neutral_emotion)
    if index is None:
        raise UsageError(
            f"a known-answer item of {task.id} has no turn to evaluate", code="E_CONFIG", hint="correct canaries/"
        )
    return (*told[:index], replace(told[index], reply=told[-1].reply))


@cache
def _of(language: str) -> tuple[Canary, ...]:
    path = data_dir("canaries") / f"{language}.toml"
    if not path.is_file():
        return ()
    try:
        stories = tomllib.loads(path.read_text("utf-8"))["story"]
        return tuple(_canary(language, story, reply) for story in stories for reply in story["reply"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the canaries of {language} cannot be read: {error}", code="E_CONFIG", hint=f"correct canaries/{path.name}"
        ) from error


def _canary(language: str, story: dict[str, Any], reply: dict[str, str]) -> Canary:
    task, kind = reply["task"], reply["kind"]
    said = [(turn["emotion"], turn["text"]) for turn in story["turns"]]
    if task in story["ask"]:
        said.append(("neutral", story["ask"][task]))
    replies = ["…"] * (len(said) - 1) + [reply["text"]]
    turns = (
        ContextTurn(number, text, emotion, own)
        for number, ((emotion, text), own) in enumerate(zip(said, replies, strict=True), 1)
    )
    return Canary(f"{language}.{task}.{kind}.{story['id']}", kind, JudgeItem(task, language, tuple(turns), ()))


def canary_requests(
    challenge: Challenge, profile: JudgeProfile, fingerprint: str, reading: str = "strict"
) -> dict[str, JudgeRequest]:
    """The requests of all canaries by name. They look like any other request: the judge cannot tell them apart.
    ``reading`` is the policy's reply_reading, as for the other requests."""
    return {
        each.name: judge_request(each.item, challenge, fingerprint, reading=reading)
        for each in planted(challenge, profile)
    }


def canaries_to_ask(
    requests: Mapping[str, JudgeRequest],
    known: Mapping[tuple[str, int], Verdict],
    profile: JudgeProfile,
    *,
    busy: bool,
) -> list[JudgeRequest]:
    """Which canaries must be put before the judge now. Those without a verdict in ``known`` always; all of them beside
    other work (``busy``) when the profile plants them in every container."""
    if busy and profile.canaries_always:
        return list(requests.values())
    return [request for request in requests.values() if (request.item, request.sample) not in known]


def check_canaries(challenge: Challenge, profile: JudgeProfile, verdicts: Mapping[str, Verdict]) -> CanaryCheck | None:
    """Hold the verdicts (by canary name) against the profile's bands; None when it has none.

    A canary is out of its band when the mean of its marks is, or when it has no verdict. The check has failed when
    more are out than the profile tolerates.
    """
    expected = planted(challenge, profile)
    if not expected:
        return None
    out = []
    for canary in expected:
        low, high = profile.canaries[canary.kind]
        mean = mean_mark(verdicts.get(canary.name))
        if mean is None or not low <= mean <= high:
            shown = "no verdict" if mean is None else f"{float(mean):.2f}"
            out.append(f"{canary.name}: {shown}, wanted {float(low):g} to {float(high):g}")
    return CanaryCheck(len(expected), tuple(out), len(out) <= profile.canaries_tolerated)


def mean_mark(verdict: Verdict | None) -> Fraction | None:
    """The mean of a verdict's marks; None without any."""
    if verdict is None or not verdict.scores:
        return None
    marks = [mark for mark in verdict.scores.values() if isinstance(mark, int)]
    return Fraction(sum(marks), len(marks)) if marks else None
