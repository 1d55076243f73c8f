"""What is measured of one full-duplex pair: speech of both sides, the intervals between them, the first response."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.submission import ReplyAudio, Submission
from harness.duplex import Interval, TimingRules, pair_timing
from harness.duplex.behaviour import Label
from harness.duplex.delays import exact, first_response_delay_s
from harness.duplex.measures import MeasuredPair, delay_rule
from harness.evaluation.pair_words import PairWords
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity
from harness.submission import canonical_samples

_SILENT = frozenset({"E_WAV_SILENT"})


class Listener:
    """Measures one pair after the other with one loaded voice model. Without ``words`` the onset of voice activity is
    the first response."""

    def __init__(
        self, inputs: Path, outputs: Path, challenge: Challenge, rules: DuplexRules, words: PairWords | None
    ) -> None:
        self._inputs, self._outputs, self._challenge, self._rules = inputs, outputs, challenge, rules
        self._words = words
        self._activity = VoiceActivity()

    def measure(self, item: DuplexInput, submission: Submission, labels: tuple[Label, ...] | None) -> MeasuredPair:
        audio = submission.pairs.get(input_path(item.file)) or ReplyAudio("", "missing")
        if audio.state != "ok":
            return MeasuredPair(item, audio.state, labels=labels if audio.state == "silent" else None)
        case = self._rules.case(item.scenario, item.part)
        assert case is not None  # the key was read with these rules
        said = self._speech(self._outputs / audio.path)
        timing = None
        if case.group == "interruption":
            heard = self._speech(self._inputs / f"{input_path(item.file)}.wav")
            timing = pair_timing(heard, said, TimingRules(self._rules.user_gap_s, self._rules.model_gap_s))
        delay_s: Fraction | None = None
        if self._words is None:
            transcribed = True
            reference = item.annotation.segments[case.reference]
            delay_s = exact(round(said[0][0], 3)) - exact(reference.end_s) if said else None
        else:
            transcript = self._words.of(item.file)
            transcribed = transcript is not None
            if transcript is not None:
                delay_s = first_response_delay_s(item.annotation, transcript, delay_rule(case))
        return MeasuredPair(item, "ok", timing, transcribed, delay_s, labels)

    def _speech(self, path: Path) -> list[Interval]:
        samples = canonical_samples(path, self._challenge, accepted=_SILENT)
        return [(start / RATE_HZ, end / RATE_HZ) for start, end in self._activity.segments(samples)]
