"""The score report of a full-duplex track, and the lines of pairs.jsonl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codec import digest, to_plain
from harness.documents.duplex import delay_notes
from harness.documents.finding import ChallengeRef
from harness.documents.report import JudgeRef, ScoreReport
from harness.documents.run_record import RunRecord
from harness.documents.submission import Submission
from harness.duplex import PairTiming
from harness.duplex.measures import MeasuredPair, language_measures, stopped_share
from harness.evaluation.pair_asking import PairJudging, naturalness_of
from harness.evaluation.pair_words import PairWords
from harness.evaluation.score import ScoreOptions


@dataclass(frozen=True, slots=True)
class PairSources:
    """Where a report's figures come from: ``labels`` is ``given``, ``none`` or the judge's profile, ``delay_from`` is
    ``words`` or ``voice``, ``delays`` is what `delays_measured` says, ``voice_activity`` the model and its version."""

    labels: str
    words: PairWords
    delay_from: str
    delays: str
    judging: PairJudging | None
    voice_activity: str


def delays_measured(record: RunRecord | None) -> str:
    """Where the delays in the outputs come from: ``alone`` (a run of ours on a machine that was seen to be idle),
    ``shared`` (a run of ours beside others, or nobody can tell), ``handed_in`` (no run of ours)."""
    if record is None:
        return "handed_in"
    conditions = record.latency
    return "alone" if conditions is not None and not conditions.shared else "shared"


def pair_report(
    measured: Sequence[MeasuredPair],
    submission: Submission,
    challenge: Challenge,
    rules: DuplexRules,
    options: ScoreOptions,
    sources: PairSources,
) -> ScoreReport:
    """One team's report. It is never official: its labels are not those of the published runs' judge."""
    judging = sources.judging
    measures: dict[str, Any] = {}
    for language in challenge.languages:
        mine = [pair for pair in measured if pair.item.language == language]
        if mine:
            stopped, overlaps = stopped_share(mine)
            measures[language] = language_measures(mine, rules, options.policy)
            measures[language]["stopped"] = {"stopped": stopped, "of": overlaps}
            if judging is not None:
                measures[language]["unranked"] = naturalness_of(judging, [pair.item.file for pair in mine])
    measures |= {"voice_activity": sources.voice_activity, "delay_from": sources.delay_from}
    measures |= {"delays": sources.delays, "labels_from": sources.labels}
    if sources.words.profile:
        measures["words_by"] = {"recogniser": sources.words.profile, "fingerprint": sources.words.fingerprint}
    notes = delay_notes(measures)
    if notes:
        measures["note"] = "; ".join(notes)
    strict = options.policy == "strict"
    return ScoreReport(
        schema_version=1,
        team=submission.team,
        display_name=submission.display_name,
        system=submission.system,
        track=rules.track,
        policy="strict" if strict else "published",
        late=options.late,
        baseline=options.baseline,
        challenge=ChallengeRef(challenge.id, challenge.digest),
        judge=_judge(sources),
        dimensions=(),
        measures=measures,
        items=None,
        canaries=judging.canaries if judging is not None else None,
        complete=not (strict and judging is not None and judging.failed),
    )


def _judge(sources: PairSources) -> JudgeRef:
    judging, labels = sources.judging, sources.labels
    made = labels if judging is None else judging.fingerprint
    found = heard_by(made, sources.delay_from, sources.voice_activity, sources.words.fingerprint)
    return JudgeRef(f"labels-{labels}" if judging is None else labels, found, official=False)


def heard_by(labels: str, delay_from: str, voice_activity: str, recogniser: str) -> str:
    """The fingerprint of everything that hears or labels: tables never mix two of them. ``labels`` and ``recogniser``
    are the fingerprints of the judge and of who wrote words down, the last one empty when nobody did."""
    made = {"labels": labels, "words": delay_from, "voice_activity": voice_activity}
    return digest(made | ({"recogniser": recogniser} if recogniser else {}))


def pair_line(pair: MeasuredPair, judging: PairJudging | None) -> dict[str, Any]:
    """One line of pairs.jsonl: everything that was measured of one input."""
    timing: PairTiming | None = pair.timing
    found: Mapping[str, Any] = {} if timing is None else to_plain(timing)
    if not pair.spoke:  # of an output that is not there nothing was heard, not even silence
        found = {side: spans for side, spans in found.items() if side == "user"}
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
        **({} if judging is None else _beside(pair.item.file, judging)),
    }


def _beside(name: str, judging: PairJudging) -> dict[str, Any]:
    """What ranks nothing: naturalness, and whether a person should look."""
    return {
        "naturalness": judging.marks.get(name),
        "dnsmos_ovrl": judging.quality.get(name),
        "flags": list(judging.flags.get(name, ())),
    }
