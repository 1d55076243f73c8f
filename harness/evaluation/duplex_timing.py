"""The timing of one pair of WAVs: the strict reader, voice activity, interval algebra."""

from __future__ import annotations

from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.duplex import Interval, PairTiming, TimingRules, pair_timing
from harness.errors import Refused, UsageError
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity
from harness.submission import canonical_samples

# Silence is an answer here, not a fault.
_ACCEPTED = frozenset({"E_WAV_SILENT"})


def duplex_rules(challenge: Challenge) -> DuplexRules:
    """The challenge's full-duplex rules. Raises UsageError (E_CONFIG) when it has none."""
    if challenge.duplex is None:
        raise UsageError(
            f"{challenge.id} has no full-duplex track",
            code="E_CONFIG",
            hint="pass a challenge spec with a [duplex] table to --challenge",
        )
    return challenge.duplex


def time_pair(user: Path, model: Path, challenge: Challenge) -> PairTiming:
    """Speech of both sides and the intervals between them, in seconds from the first sample.

    Raises Refused with an E_WAV_* code for a file that is no acceptable WAV, or E_PAIR_LENGTH when the output is
    longer than its input by more than the spec allows; MachineError (I_HEARING) when the model is not installed.
    """
    rules = duplex_rules(challenge)
    heard = {}
    for side, path in (("user", user), ("model", model)):
        heard[side] = canonical_samples(path, challenge, accepted=_ACCEPTED)
    excess_s = (len(heard["model"]) - len(heard["user"])) / RATE_HZ
    if excess_s > rules.max_excess_s:
        raise Refused(
            f"{model.name} is {excess_s:.3f} s longer than its input; {rules.max_excess_s} s are allowed",
            code="E_PAIR_LENGTH",
            hint="record the output from the first sample of the input to its last",
        )
    activity = VoiceActivity()
    speech: dict[str, list[Interval]] = {
        side: [(start / RATE_HZ, end / RATE_HZ) for start, end in activity.segments(samples)]
        for side, samples in heard.items()
    }
    return pair_timing(speech["user"], speech["model"], TimingRules(rules.user_gap_s, rules.model_gap_s))
