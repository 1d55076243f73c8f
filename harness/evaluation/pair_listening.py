"""Listening to full-duplex pairs: where both sides speak, and what is measured of that with the words and labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from harness.challenge.duplex import DuplexCase, DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codec import jsonl
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
class Speech:
    """Where the two sides of one pair speak, in seconds from its first sample; None where nobody listened."""

    user: tuple[Interval, ...] | None
    model: tuple[Interval, ...] | None


def listen(
    items: Sequence[DuplexInput],
    submission: Submission,
    inputs: Path | None,
    outputs: Path,
    challenge: Challenge,
    rules: DuplexRules,
) -> dict[str, Speech]:
    """The speech of every output that is not silent, and of the inputs that outputs are timed against, by the input's
    name; all audio goes through one child and one loaded voice model. Without ``inputs`` of the outputs alone.

    Raises Refused (E_CHANGED, E_WAV_*, E_READ_*) when a file is no longer what was checked, MachineError (I_DISK,
    I_READER, I_HEARING).
    """
    wanted: dict[tuple[str, str], Recording] = {}
    for item in items:
        audio = _audio(submission, item)
        if audio.state == "ok":
            wanted[item.file, "model"] = Recording(outputs / audio.path, audio.sha256)
        if inputs is not None and _case(item, rules).group == "interruption":
            wanted[item.file, "user"] = Recording(inputs / f"{input_path(item.file)}.wav")
    activity = VoiceActivity(rules.voice_activity)
    with Recordings(challenge, accepted=_ACCEPTED) as recordings:
        heard = {
            side: tuple((start / RATE_HZ, end / RATE_HZ) for start, end in activity.segments(samples))
            for side, samples in zip(wanted, recordings.each(wanted.values()), strict=True)
        }
    return {item.file: Speech(heard.get((item.file, "user")), heard.get((item.file, "model"))) for item in items}


def measure(
    items: Sequence[DuplexInput],
    submission: Submission,
    speech: Mapping[str, Speech],
    words: PairWords | None,
    labels: Mapping[str, tuple[Label, ...] | None],
    rules: DuplexRules,
) -> list[MeasuredPair]:
    """What is measured of each item, in order: a pure function. Without ``words`` the onset of voice activity is the
    first response."""
    return [_pair(item, submission, speech[item.file], words, labels.get(item.file), rules) for item in items]


def _pair(
    item: DuplexInput,
    submission: Submission,
    speech: Speech,
    words: PairWords | None,
    labels: tuple[Label, ...] | None,
    rules: DuplexRules,
) -> MeasuredPair:
    audio, case, said = _audio(submission, item), _case(item, rules), speech.model or ()
    timing = None
    if case.group == "interruption":
        timing = pair_timing(speech.user or (), said, TimingRules(rules.user_gap_s, rules.model_gap_s))
    if audio.state != "ok":
        return MeasuredPair(item, audio.state, timing, labels=labels if audio.state == "silent" else None)
    delay_s: Fraction | None = None
    if words is None:
        transcribed = True
        reference = item.annotation.segments[case.reference]
        delay_s = exact(round(said[0][0], 3)) - exact(reference.end_s) if said else None
    else:
        transcript = words.of(item.file)
        transcribed = transcript is not None
        if transcript is not None:
            delay_s = first_response_delay_s(item.annotation, transcript, delay_rule(case))
    return MeasuredPair(item, "ok", timing, transcribed, delay_s, labels)


def _audio(submission: Submission, item: DuplexInput) -> ReplyAudio:
    return submission.pairs.get(input_path(item.file)) or ReplyAudio("", "missing")


def _case(item: DuplexInput, rules: DuplexRules) -> DuplexCase:
    case = rules.case(item.scenario, item.part)
    assert case is not None  # the key was read with these rules
    return case


def speech_lines(speech: Mapping[str, Speech]) -> bytes:
    """A line an input: its name and the stretches of both sides."""
    return jsonl([{"file": name, "user": each.user, "model": each.model} for name, each in speech.items()])


def read_speech(raw: bytes) -> dict[str, Speech]:
    """The opposite of `speech_lines`."""
    rows = [json.loads(line) for line in raw.splitlines()]
    return {row["file"]: Speech(_stretches(row["user"]), _stretches(row["model"])) for row in rows}


def _stretches(plain: Sequence[Sequence[float]] | None) -> tuple[Interval, ...] | None:
    return None if plain is None else tuple((start, end) for start, end in plain)
