"""`humdial score` for a full-duplex track: check, listen, label, measure, report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codec import digest, jsonl, pretty_json, read_document, to_plain, write_atomic
from harness.documents.duplex import DuplexInput, Transcript, input_path
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef, ScoreReport
from harness.documents.run_record import RunRecord
from harness.documents.submission import ReplyAudio, Submission
from harness.duplex import Interval, PairTiming, TimingRules, pair_timing
from harness.duplex.behaviour import Label
from harness.duplex.delays import exact, first_response_delay_s
from harness.duplex.measures import MeasuredPair, delay_rule, language_measures, stopped_share
from harness.evaluation.given_words import given_labels, given_transcript
from harness.evaluation.run import RECORD, VALIDATION, usable_pairs
from harness.evaluation.score import REPORT, ScoreOptions, ScoreResult, was_collected
from harness.hearing.voice_activity import RATE_HZ, VoiceActivity, voice_activity_version
from harness.submission import canonical_samples, check

PAIRS = "pairs.jsonl"
_SILENT = frozenset({"E_WAV_SILENT"})
_DELAY_NOTES = {
    "shared": "delays were measured on a shared machine",
    "handed_in": "delays are those of the outputs as handed in, not of a run of this harness",
}


@dataclass(frozen=True, slots=True)
class PairOptions:
    """``transcripts`` is a folder of ready ASR JSONs beside the outputs' names, ``labels`` a JSONL of behaviour
    labels. ``delay_from`` says what a first response is: a recognised word, or the onset of voice activity."""

    transcripts: Path | None = None
    labels: Path | None = None
    delay_from: str = "words"


def score_pairs(
    subject: Path,
    references: Path,
    out: Path,
    challenge: Challenge,
    rules: DuplexRules,
    options: ScoreOptions,
    pair_options: PairOptions,
    progress: Callable[[str], None],
) -> ScoreResult:
    """Validate and measure; leave validation.json, pairs.jsonl and report.json.

    Raises UsageError for broken references, transcripts or labels, MachineError (I_HEARING) without a voice model.
    """
    gold = usable_pairs(references, challenge, rules, need_key=True)
    collected = was_collected(subject)
    labels = given_labels(pair_options.labels) if pair_options.labels else {}
    for name in (REPORT, PAIRS, VALIDATION):
        (out / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="humdial-score-") as scratch:
        outcome = check(
            subject,
            challenge,
            track=rules.track,
            team=options.team,
            policy=options.policy,
            from_image=collected,
            work=Path(scratch),
            pairs=gold,
        )
        write_atomic(out / VALIDATION, pretty_json(to_plain(outcome.report)))
        if not outcome.report.valid or outcome.submission is None or outcome.root is None:
            return ScoreResult(outcome.report, None)
        submission = outcome.submission
        if options.team and submission.team != options.team:
            submission = replace(submission, team=options.team)
        items = [item for item in gold.key if item.file.rpartition("/")[2] not in rules.excluded]
        progress(f"listening to {len(items)} pairs")
        listener = _Listener(gold.root, outcome.root, challenge, rules, pair_options)
        measured = [listener.measure(item, submission, labels.get(item.file)) for item in items]
    delays = delays_measured(subject.parent / RECORD if collected else None)
    report = _report(measured, submission, challenge, rules, options, pair_options, delays)
    write_atomic(out / PAIRS, jsonl([_plain(pair) for pair in measured]))
    write_atomic(out / REPORT, pretty_json(to_plain(report)))
    return ScoreResult(outcome.report, report)


def delays_measured(record: Path | None) -> str:
    """Where the delays in the outputs come from: ``alone`` (a run of ours on a machine that was seen to be idle),
    ``shared`` (a run of ours beside others, or nobody can tell), ``handed_in`` (no run of ours)."""
    if record is None:
        return "handed_in"
    conditions = read_document(RunRecord, record).latency
    return "alone" if conditions is not None and not conditions.shared else "shared"


class _Listener:
    """Measures one pair after the other with one loaded voice model."""

    def __init__(
        self, inputs: Path, outputs: Path, challenge: Challenge, rules: DuplexRules, options: PairOptions
    ) -> None:
        self._inputs, self._outputs, self._challenge, self._rules = inputs, outputs, challenge, rules
        self._options = options
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
        transcript: Transcript | None = None
        if self._options.delay_from == "voice":
            transcribed = True
            reference = item.annotation.segments[case.reference]
            delay_s = exact(round(said[0][0], 3)) - exact(reference.end_s) if said else None
        else:
            transcript = given_transcript(self._options.transcripts, audio)
            transcribed = transcript is not None
            if transcript is not None:
                delay_s = first_response_delay_s(item.annotation, transcript, delay_rule(case))
        return MeasuredPair(item, "ok", timing, transcribed, delay_s, labels)

    def _speech(self, path: Path) -> list[Interval]:
        samples = canonical_samples(path, self._challenge, accepted=_SILENT)
        return [(start / RATE_HZ, end / RATE_HZ) for start, end in self._activity.segments(samples)]


def _report(
    measured: list[MeasuredPair],
    submission: Submission,
    challenge: Challenge,
    rules: DuplexRules,
    options: ScoreOptions,
    pair_options: PairOptions,
    delays: str,
) -> ScoreReport:
    measures: dict[str, Any] = {}
    for language in challenge.languages:
        mine = [pair for pair in measured if pair.item.language == language]
        if mine:
            stopped, overlaps = stopped_share(mine)
            measures[language] = language_measures(mine, rules, options.policy)
            measures[language]["stopped"] = {"stopped": stopped, "of": overlaps}
    measures["voice_activity"] = voice_activity_version()
    measures["delay_from"] = pair_options.delay_from
    measures["delays"] = delays
    notes = [_DELAY_NOTES[delays]] if delays in _DELAY_NOTES else []
    if pair_options.delay_from == "voice":
        notes.append("first response delay from the onset of voice activity, not from words")
    if notes:
        measures["note"] = "; ".join(notes)
    made = {"labels": "given" if pair_options.labels else "none", "words": pair_options.delay_from}
    made["voice_activity"] = measures["voice_activity"]
    return ScoreReport(
        schema_version=1,
        team=submission.team,
        display_name=submission.display_name,
        system=submission.system,
        track=rules.track,
        policy="strict" if options.policy == "strict" else "published",
        late=options.late,
        baseline=options.baseline,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        judge=JudgeRef(f"labels-{made['labels']}", digest(made), official=False),
        dimensions=(),
        measures=measures,
        items=None,
    )


def _plain(pair: MeasuredPair) -> dict[str, Any]:
    """One line of pairs.jsonl: everything that was measured of one input."""
    timing: PairTiming | None = pair.timing
    found: Mapping[str, Any] = {} if timing is None else to_plain(timing)
    return {
        "file": pair.item.file,
        "language": pair.item.language,
        "scenario": pair.item.scenario,
        "part": pair.item.part,
        "state": pair.state,
        **found,
        "transcribed": pair.transcribed,
        "first_response_delay_s": None if pair.delay_s is None else float(round(pair.delay_s, 6)),
        "behaviour": None if pair.labels is None else list(pair.labels),
    }
