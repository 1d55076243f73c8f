"""`humdial score` for a full-duplex track: check, listen, label, measure, report."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import jsonl, pretty_json, read_document, to_plain, write_atomic
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.run_record import RunRecord
from harness.documents.submission import Submission
from harness.duplex.behaviour import Label
from harness.duplex.measures import MeasuredPair
from harness.errors import UsageError
from harness.evaluation.given_words import given_labels
from harness.evaluation.judge_image import ensure_judge
from harness.evaluation.judge_server import ENGINE as SERVER
from harness.evaluation.judge_server import check_server, server_profile
from harness.evaluation.pair_asking import PairJudging
from harness.evaluation.pair_judging import Asking, judge_pairs
from harness.evaluation.pair_listening import listen, measure
from harness.evaluation.pair_report import PairSources, delays_measured, pair_line, pair_report
from harness.evaluation.pair_words import WORDS, PairWords, counted_items, keep_words, pair_words
from harness.evaluation.recognising import Recogniser, ready_recogniser
from harness.evaluation.run import RECORD, VALIDATION, usable_pairs
from harness.evaluation.score import REPORT, VERDICTS, ScoreOptions, ScoreResult, was_collected
from harness.hearing.voice_activity import voice_activity_version
from harness.submission import PairInputs, check

PAIRS = "pairs.jsonl"
SMALL, NOBODY = "small", "none"


@dataclass(frozen=True, slots=True)
class PairOptions:
    """``transcripts`` is a folder of ready ASR JSONs beside the outputs' names, ``labels`` a JSONL of behaviour
    labels. What they lack is written down by the ``recogniser`` of the spec, whose weights lie in
    ``recogniser_weights`` unless they come in a package, and asked of the judge; without ``labels`` and with the judge
    ``none`` nobody labels. ``delay_from`` says what a first response is: a recognised word, or the onset of voice
    activity."""

    transcripts: Path | None = None
    labels: Path | None = None
    delay_from: str = "words"
    recogniser: str | None = None
    recogniser_weights: Path | None = None


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
    """Validate, write down, label and measure; leave validation.json, words/, pairs.jsonl, report.json, and
    verdicts.jsonl when a judge was asked.

    Raises UsageError for broken references, transcripts or labels, MachineError (I_HEARING) without a voice model,
    I_RECOGNISER, I_JUDGE and I_ENGINE as the containers do.
    """
    gold = usable_pairs(references, challenge, rules, need_key=True)
    collected = was_collected(subject)
    known = {item.file for item in gold.key} | set(rules.excluded)
    given = given_labels(pair_options.labels, known) if pair_options.labels else None
    for name in (REPORT, PAIRS, VALIDATION, VERDICTS):
        (out / name).unlink(missing_ok=True)
    if pair_options.transcripts is None or pair_options.transcripts.resolve() != (out / WORDS).resolve():
        shutil.rmtree(out / WORDS, ignore_errors=True)  # an earlier scoring's
    with tempfile.TemporaryDirectory(prefix="humdial-score-") as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        outcome = check(
            subject,
            challenge,
            track=rules.track,
            team=options.team,
            policy=options.policy,
            from_image=collected,
            work=work,
            pairs=gold,
        )
        write_atomic(out / VALIDATION, pretty_json(to_plain(outcome.report)))
        if not outcome.report.valid or outcome.submission is None or outcome.root is None:
            return ScoreResult(outcome.report, None)
        submission = outcome.submission
        if options.team and submission.team != options.team:
            submission = replace(submission, team=options.team)
        asks = _Asks(challenge, rules, options, pair_options, work, progress)
        measured, words, judging = _measured(gold, submission, outcome.root, asks, given)
    keep_words(out / WORDS, words, submission)
    delays = delays_measured(read_document(RunRecord, subject.parent / RECORD) if collected else None)
    named = "given" if given is not None else "none" if judging is None else options.profile
    sources = PairSources(named, words, pair_options.delay_from, delays, judging, voice_activity_version())
    report = pair_report(measured, submission, challenge, rules, options, sources)
    if judging is not None:
        write_atomic(out / VERDICTS, jsonl([to_plain(verdict) for verdict in judging.verdicts]))
    write_atomic(out / PAIRS, jsonl([pair_line(pair, judging) for pair in measured]))
    write_atomic(out / REPORT, pretty_json(to_plain(report)))
    return ScoreResult(outcome.report, report)


def _measured(
    gold: PairInputs, submission: Submission, root: Path, asks: _Asks, given: Mapping[str, tuple[Label, ...]] | None
) -> tuple[list[MeasuredPair], PairWords, PairJudging | None]:
    """Every pair that counts: its words first, then the labels, which need them, then what is measured of the sound."""
    rules = asks.rules
    items = counted_items(gold.key, rules)
    words = asks.words(items, submission, root)
    judging = asks.labels(items, submission, root, words)
    labels: Mapping[str, tuple[Label, ...] | None] = given or (judging.labels if judging is not None else {})
    heard = None if asks.pair_options.delay_from == "voice" else words
    if heard is not None:
        _tell_of_missing_words(items, submission, heard, asks.options.policy, asks.progress)
    asks.progress(f"listening to {len(items)} pairs")
    speech = listen(items, submission, gold.root, root, asks.challenge, rules)
    return measure(items, submission, speech, heard, labels, rules), words, judging


def _tell_of_missing_words(
    items: Sequence[DuplexInput], submission: Submission, words: PairWords, policy: str, progress: Callable[[str], None]
) -> None:
    spoken = {path for path, audio in submission.pairs.items() if audio.state == "ok"}
    there = [item.file for item in items if input_path(item.file) in spoken]
    lacking = [name for name in there if words.of(name) is None]
    if lacking:
        what = "their scenarios have no first response delay" if policy == "strict" else "the means leave them out"
        progress(f"without words: {len(lacking)} of {len(there)} outputs, {lacking[0]} first; {what}")


@dataclass(slots=True)
class _Asks:
    """What is asked of the containers, and only when something has to be."""

    challenge: Challenge
    rules: DuplexRules
    options: ScoreOptions
    pair_options: PairOptions
    work: Path
    progress: Callable[[str], None]

    def words(self, items: Sequence[DuplexInput], submission: Submission, root: Path) -> PairWords:
        """The words of the outputs; none are written down where nothing needs them."""
        given = self.pair_options.transcripts
        needed = self._asks_for_labels or self.pair_options.delay_from == "words"
        makes = self._recogniser if needed and self.pair_options.recogniser is not None else None
        clean = self._asks_for_labels
        return pair_words(items, submission, root, given, makes, self.challenge, self.progress, clean=clean)

    def labels(
        self, items: Sequence[DuplexInput], submission: Submission, root: Path, words: PairWords
    ) -> PairJudging | None:
        """The judge's labels; None where they are given or nobody is asked."""
        if not self._asks_for_labels:
            return None
        server = self.options.server
        if server is not None and self.options.profile == SERVER:
            check_server(server)
            profile = server_profile(server.model, self.challenge)
            asking = Asking(self.challenge, self.rules, profile, None, server, self.work)
        else:
            profile = self._profile(self.options.profile)
            judge = ensure_judge(self.challenge, profile, progress=self.progress)
            asking = Asking(self.challenge, self.rules, profile, judge, None, self.work)
        policy, fresh = self.options.policy, self.options.fresh
        return judge_pairs(items, submission, root, words, asking, policy, self.progress, fresh=fresh)

    @property
    def _asks_for_labels(self) -> bool:
        return self.pair_options.labels is None and self.options.profile != NOBODY

    def _recogniser(self) -> Recogniser:
        # Any judge of ours has the same image, and the small one can always be built.
        judge = ensure_judge(self.challenge, self._profile(SMALL), progress=self.progress)
        name, weights = str(self.pair_options.recogniser), self.pair_options.recogniser_weights
        return ready_recogniser(self.rules, name, judge, weights, self.progress)

    def _profile(self, name: str) -> JudgeProfile:
        if name not in self.challenge.judges:
            raise UsageError(
                f"the challenge {self.challenge.id} has no judge {name!r} for {self.rules.track}",
                code="E_CONFIG",
                hint=f"pass one of: {', '.join(sorted(self.challenge.judges))}, {SERVER}, or {NOBODY} for no labels",
            )
        return self.challenge.judges[name]
