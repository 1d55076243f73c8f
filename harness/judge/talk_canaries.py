"""Known-answer items of the task behaviour: talks with the labels that a working judge may give (canaries/talks.toml).

As with the marks of Track 1, they are asked among the teams' own, and a judge that labels them otherwise stops the
publication.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.report import CanaryCheck
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.errors import UsageError
from harness.judge.requests import JudgeItem, judge_request
from harness.resources import data_dir

TASK = DIMENSION = "behaviour"


@dataclass(frozen=True, slots=True)
class TalkCanary:
    """One planted talk and the labels that it may get."""

    name: str
    item: JudgeItem
    accepted: frozenset[str]


def planted_talks(challenge: Challenge, profile: JudgeProfile) -> tuple[TalkCanary, ...]:
    """The talks that ``profile`` is asked about; none when it has no known-answer items, or the challenge no labels.

    Raises UsageError (E_CONFIG) when the file cannot be read.
    """
    if not profile.canaries or TASK not in challenge.tasks or f"{TASK}.{DIMENSION}" in profile.not_judged:
        return ()
    return tuple(talk for talk in _talks() if talk.item.language in challenge.languages)


@cache
def _talks() -> tuple[TalkCanary, ...]:
    path = data_dir("canaries") / "talks.toml"
    try:
        return tuple(_talk(plain) for plain in tomllib.loads(path.read_text("utf-8"))["talk"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the known talks cannot be read: {error}", code="E_CONFIG", hint=f"correct canaries/{path.name}"
        ) from error


def _talk(plain: dict[str, Any]) -> TalkCanary:
    turns = tuple(ContextTurn(number, user, "", said) for number, (user, said) in enumerate(plain["turns"], 1))
    item = JudgeItem(TASK, plain["language"], turns, (DIMENSION,))
    return TalkCanary(f"{plain['language']}.{TASK}.{plain['id']}", item, frozenset(plain["accepted"]))


def talk_requests(challenge: Challenge, profile: JudgeProfile, fingerprint: str) -> dict[str, JudgeRequest]:
    """The requests by name. They look like any other: the judge cannot tell them apart."""
    return {each.name: judge_request(each.item, challenge, fingerprint) for each in planted_talks(challenge, profile)}


def check_talks(challenge: Challenge, profile: JudgeProfile, verdicts: Mapping[str, Verdict]) -> CanaryCheck | None:
    """Hold the labels (by name) against the accepted ones; None when nothing was planted. It has failed when more are
    wrong than the profile tolerates."""
    talks = planted_talks(challenge, profile)
    if not talks:
        return None
    out = []
    for talk in talks:
        verdict = verdicts.get(talk.name)
        label = (verdict.scores or {}).get(DIMENSION) if verdict is not None else None
        if label not in talk.accepted:
            out.append(f"{talk.name}: {label or 'no verdict'}, wanted {' or '.join(sorted(talk.accepted))}")
    return CanaryCheck(len(talks), tuple(out), len(out) <= profile.canaries_tolerated)
