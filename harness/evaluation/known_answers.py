"""The known-answer items of a run's judge: dialogues, or talks for a full-duplex track."""

from __future__ import annotations

from collections.abc import Mapping

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.report import CanaryCheck
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.duplex_timing import pair_rules
from harness.judge.canaries import canary_requests, check_canaries
from harness.judge.talk_canaries import check_talks, talk_requests


def known_requests(
    challenge: Challenge, profile: JudgeProfile, fingerprint: str, track: str, reading: str
) -> dict[str, JudgeRequest]:
    """Their requests by name; ``reading`` is the policy's reply_reading."""
    if pair_rules(challenge, track) is not None:
        return talk_requests(challenge, profile, fingerprint)
    return canary_requests(challenge, profile, fingerprint, reading)


def check_known(
    challenge: Challenge, profile: JudgeProfile, track: str, marked: Mapping[str, Verdict]
) -> CanaryCheck | None:
    """Whether the judge answered them as it should, by name; None when it has none."""
    if pair_rules(challenge, track) is not None:
        return check_talks(challenge, profile, marked)
    return check_canaries(challenge, profile, marked)
