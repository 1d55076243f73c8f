"""What is measured of full-duplex pairs: speech of both sides, the intervals between them, the first response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from harness.challenge.duplex import DuplexCase, DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.submission import ReplyAudio, Submission
from harness.duplex import Interval, TimingRules, pair_timing
from harness.duplex.behaviour import Label
from harness.duplex.delays import exact, first_response_delay_s
from harness.duplex.measures import MeasuredPair, delay_rule
from harness.evaluation.pair_words import PairWords
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity
from harness.submission import Recording, Recordings

_ACCEPTED = frozenset({"E_WAV_SILENT"})  # silence is an answer here, not a fault


@dataclass(frozen=True, slots=True)
class Listener:
    """Measures pairs. Without ``words`` the onset of voice activity is the first response."""

    inputs: Path
    outputs: Path
    challenge: Challenge
    rules: DuplexRules
    words: PairWords | None

    def measure(
        self,
        items: Sequence[DuplexInput],
        submission: Submission,
        labels: Mapping[str, tuple[Label, ...] | None],
    ) -> list[MeasuredPair]:
        """What is measured of each item, in order; all audio goes through one child and one loaded voice model.

        Raises Refused (E_CHANGED, E_WAV_*, E_READ_*) when a file is no longer what was checked, MachineError (I_DISK,
        I_READER, I_HEARING).
        """
        audio = {item.file: submission.pairs.get(input_path(item.file)) or ReplyAudio("", "missing") for item in items}
        heard = self._listen(items, audio)
        return [self._pair(item, audio[item.file], heard, labels.get(item.file)) for item in items]

    def _pair(
        self,
        item: DuplexInput,
        audio: ReplyAudio,
        heard: Mapping[Path, list[Interval]],
        labels: tuple[Label, ...] | None,
    ) -> MeasuredPair:
        case, said = self._case(item), heard.get(self.outputs / audio.path, [])
        timing = None
        if case.group == "interruption":
            gaps = TimingRules(self.rules.user_gap_s, self.rules.model_gap_s)
            timing = pair_timing(heard[self._input(item)], said, gaps)
        if audio.state != "ok":
            return MeasuredPair(item, audio.state, timing, labels=labels if audio.state == "silent" else None)
        delay_s: Fraction | None = None
        if self.words is None:
            transcribed = True
            reference = item.annotation.segments[case.reference]
            delay_s = exact(round(said[0][0], 3)) - exact(reference.end_s) if said else None
        else:
            transcript = self.words.of(item.file)
            transcribed = transcript is not None
            if transcript is not None:
                delay_s = first_response_delay_s(item.annotation, transcript, delay_rule(case))
        return MeasuredPair(item, "ok", timing, transcribed, delay_s, labels)

    def _listen(self, items: Sequence[DuplexInput], audio: Mapping[str, ReplyAudio]) -> dict[Path, list[Interval]]:
        """Speech, in seconds, of every output that is not silent, and of the inputs that outputs are timed against."""
        wanted: dict[Path, Recording] = {}
        for item in items:
            output = audio[item.file]
            if output.state == "ok":
                wanted[self.outputs / output.path] = Recording(self.outputs / output.path, output.sha256)
            if self._case(item).group == "interruption":
                wanted[self._input(item)] = Recording(self._input(item))
        activity = VoiceActivity(self.rules.voice_activity)
        with Recordings(self.challenge, accepted=_ACCEPTED) as recordings:
            return {
                path: [(start / RATE_HZ, end / RATE_HZ) for start, end in activity.segments(samples)]
                for path, samples in zip(wanted, recordings.each(wanted.values()), strict=True)
            }

    def _case(self, item: DuplexInput) -> DuplexCase:
        case = self.rules.case(item.scenario, item.part)
        assert case is not None  # the key was read with these rules
        return case

    def _input(self, item: DuplexInput) -> Path:
        return self.inputs / f"{input_path(item.file)}.wav"
