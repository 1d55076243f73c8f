"""A full-duplex team from stored documents to its report: for the run itself and whenever it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.documents.codec import canonical_json, from_plain, jsonl, pretty_json, to_plain
from harness.documents.duplex import DuplexInput, HearingTerms
from harness.documents.report import CanaryCheck, JudgeRef
from harness.documents.run_record import RunRecord
from harness.documents.submission import Submission
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import Refused
from harness.evaluation.pair_asking import Asked, AskTerms, pair_requests, read_answers, sounds_of
from harness.evaluation.pair_listening import measure, read_speech
from harness.evaluation.pair_report import PairSources, delays_measured, heard_by, pair_line, pair_report
from harness.evaluation.pair_words import PairWords, counted_items, read_words
from harness.evaluation.score import ScoreOptions
from harness.scoring import Key
from harness.submission import PairInputs


@dataclass(frozen=True, slots=True)
class PairParts:
    """What is stored of one team: its canonical submission, where both sides speak, the words, the requests, and the
    record of its image's run, if it was one."""

    submission: Submission
    speech: bytes
    words: PairWords
    requests: Mapping[Key, JudgeRequest]
    record: RunRecord | None


def pair_gold_bytes(inputs: PairInputs) -> bytes:
    """The organisers' side as it is kept: the key, and how long every input lasts."""
    key = [to_plain(item) for item in inputs.key]
    return canonical_json({"audio_s": dict(sorted(inputs.audio_s.items())), "key": key}) + b"\n"


def read_pair_gold(raw: bytes) -> PairInputs:
    """The opposite of `pair_gold_bytes`; the WAVs lie nowhere."""
    plain = json.loads(raw)
    return PairInputs(Path(), plain["audio_s"], tuple(from_plain(DuplexInput, each) for each in plain["key"]), ())


def read_parts(
    submission: bytes, speech: bytes, words: bytes, requests: Mapping[Key, JudgeRequest], record: bytes | None,
    hearing: HearingTerms,
) -> PairParts:  # fmt: skip
    """Raises Refused (I_CORRUPT) for words that no reader of ours wrote."""
    document = from_plain(Submission, json.loads(submission))
    try:
        said = read_words(words, document)
    except ValueError as error:
        raise Refused(
            f"the stored words of {document.team} cannot be read: {error}",
            code="I_CORRUPT",
            hint="restore the folder from a copy, or begin a new run",
        ) from error
    by = PairWords(said, hearing.recogniser, hearing.fingerprint)
    ran = None if record is None else from_plain(RunRecord, json.loads(record))
    return PairParts(document, speech, by, requests, ran)


def asked_of(gold: PairInputs, parts: PairParts, terms: AskTerms) -> Asked:
    """What the judge is asked under ``terms``. Audio is known by the digest that it was asked with."""
    return pair_requests(counted_items(gold.key, terms.rules), parts.words, sounds_of(parts.requests), terms)


def score_pair_files(
    gold: PairInputs,
    parts: PairParts,
    verdicts: Mapping[tuple[str, int], Verdict],
    canaries: CanaryCheck | None,
    terms: AskTerms,
    hearing: HearingTerms,
    options: ScoreOptions,
) -> tuple[dict[str, bytes], bool]:
    """pairs.jsonl and report.json, and whether no label is missing: a pure function of what is stored."""
    items = counted_items(gold.key, terms.rules)
    judging = read_answers(asked_of(gold, parts, terms), verdicts, canaries, terms.fingerprint)
    heard = None if hearing.delay_from == "voice" else parts.words
    measured = measure(items, parts.submission, read_speech(parts.speech), heard, judging.labels, terms.rules)
    sources = PairSources(
        terms.profile.id, parts.words, hearing.delay_from, delays_measured(parts.record), judging,
        hearing.voice_activity,
    )  # fmt: skip
    report = pair_report(measured, parts.submission, terms.challenge, terms.rules, options, sources)
    lines = jsonl([pair_line(pair, judging) for pair in measured])
    return {"pairs.jsonl": lines, "report.json": pretty_json(to_plain(report))}, report.complete


def reported_fingerprint(judge: JudgeRef, hearing: HearingTerms | None) -> str:
    """Of the judge in a run's reports: what heard is part of it."""
    if hearing is None:
        return judge.fingerprint
    return heard_by(judge.fingerprint, hearing.delay_from, hearing.voice_activity, hearing.fingerprint)
