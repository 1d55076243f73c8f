"""The timing of pairs of WAVs: the strict reader, voice activity, interval algebra."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.duplex import Interval, PairTiming, TimingRules, pair_timing
from harness.errors import Refused, UsageError
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity
from harness.submission import Recording, Recordings

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


def pair_rules(challenge: Challenge, track: str) -> DuplexRules | None:
    """The rules of ``track`` when it is a full-duplex one."""
    rules = challenge.duplex
    return rules if rules is not None and rules.track == track else None


class PairTimer:
    """Times one pair after the other through one child that reads and with one loaded voice model. A context manager.
    ``tell`` gets W_PAIR_LENGTH for an output that is not as long as its input.

    Raises UsageError (E_CONFIG) for a challenge without such rules, MachineError (I_HEARING) when the model that
    they name is not installed.
    """

    def __init__(self, challenge: Challenge, tell: Callable[[Finding], None] = lambda _: None) -> None:
        self._tell = tell
        self._rules = duplex_rules(challenge)
        self._recordings = Recordings(challenge, accepted=_ACCEPTED)
        self._activity: VoiceActivity | None = None

    def __enter__(self) -> PairTimer:
        return self

    def __exit__(self, *_: object) -> None:
        self._recordings.close()

    def time(self, user: Path, model: Path) -> PairTiming:
        """Speech of both sides and the intervals between them, in seconds from the first sample.

        Raises Refused with an E_WAV_* code for a file that is no acceptable WAV, E_READ_* for one that breaks its
        reader, or E_PAIR_LENGTH when the output is longer than its input by more than the spec allows; MachineError
        (I_DISK, I_READER, I_HEARING).
        """
        heard = dict(zip(("user", "model"), self._recordings.each([Recording(user), Recording(model)]), strict=True))
        self._compare(model.name, len(heard["model"]) / RATE_HZ, len(heard["user"]) / RATE_HZ)
        if self._activity is None:
            self._activity = VoiceActivity(self._rules.voice_activity)
        speech: dict[str, list[Interval]] = {
            side: [(start / RATE_HZ, end / RATE_HZ) for start, end in self._activity.segments(samples)]
            for side, samples in heard.items()
        }
        gaps = TimingRules(self._rules.user_gap_s, self._rules.model_gap_s)
        return pair_timing(speech["user"], speech["model"], gaps)

    def _compare(self, name: str, seconds: float, expected_s: float) -> None:
        """An output is as long as its input; one that is far longer is refused, any other difference is told."""
        rules, excess_s = self._rules, seconds - expected_s
        found, wanted = f"{seconds:.3f}", f"{expected_s:.3f}"
        if excess_s > rules.max_excess_s:
            entry = finding("E_PAIR_LENGTH", seconds=found, expected=wanted, limit=rules.max_excess_s)
            raise Refused(f"{name}: {entry.message}", code=entry.code, hint=entry.hint)
        if abs(excess_s) > rules.length_tolerance_s:
            self._tell(finding("W_PAIR_LENGTH", file=name, seconds=found, expected=wanted))


def time_pair(
    user: Path, model: Path, challenge: Challenge, tell: Callable[[Finding], None] = lambda _: None
) -> PairTiming:
    """`PairTimer.time` of one pair; raises what both raise."""
    with PairTimer(challenge, tell) as timer:
        return timer.time(user, model)
