"""Behaviour labels and naturalness of full-duplex outputs, by the judge, with the defences of other judging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.report import CanaryCheck
from harness.documents.submission import Submission
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.duplex.behaviour import Label, read_label
from harness.duplex.behaviour_items import all_said, behaviour_of, one_line
from harness.evaluation.asking import ask_judge
from harness.evaluation.judge_image import JudgeImage
from harness.evaluation.judge_server import Server, ask_server, server_inputs
from harness.evaluation.pair_words import PairWords
from harness.evaluation.verdict_store import VerdictStore
from harness.judge import JudgeItem, judge_request
from harness.judge.canaries import canaries_to_ask
from harness.judge.injection import injection_flags
from harness.judge.requests import AUDIO
from harness.judge.talk_canaries import check_talks, talk_requests
from harness.resources import cache_dir
from harness.submission import canonical_wavs

BEHAVIOUR, NATURALNESS = "behaviour", "naturalness"
_MARK, _QUALITY = "linguistic_naturalness", "dnsmos_ovrl"
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class PairJudging:
    """By the input's name: ``labels`` (None: it was not judged), ``marks`` and ``quality`` of naturalness, ``flags``
    for a person. ``failed`` counts labels that the judge owes."""

    labels: dict[str, tuple[Label, ...] | None]
    marks: dict[str, int] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    failed: int = 0
    canaries: CanaryCheck | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    labels: dict[str, JudgeRequest]
    naturalness: dict[str, JudgeRequest]
    ruled: dict[str, tuple[Label, ...]]
    flags: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked: a judge container, or a server of the user's. ``work`` is a folder of ours."""

    challenge: Challenge
    rules: DuplexRules
    profile: JudgeProfile
    judge: JudgeImage | None
    server: Server | None
    work: Path

    @property
    def fingerprint(self) -> str:
        if self.judge is not None:
            return self.judge.fingerprint
        assert self.server is not None  # one of the two is there
        return digest(server_inputs(self.profile, self.server))


def judge_pairs(
    items: Sequence[DuplexInput],
    submission: Submission,
    root: Path,
    words: PairWords,
    asking: Asking,
    policy: str,
    progress: Callable[[str], None],
    *,
    fresh: bool,
) -> PairJudging:
    """Ask for the label of every item whose scenario wants one, and how natural every output is.

    An output that says nothing after the break-in is UNKNOWN by rule. Without words there is no label. Policy
    published asks only where both outputs were written down, as the published scripts do.
    Raises MachineError (I_JUDGE) when the judge gave no verdict at all.
    """
    asked = _requests(items, submission, root, words, asking, policy)
    requests = [*asked.labels.values(), *asked.naturalness.values()]
    progress(f"asking the judge {asking.profile.id} for {len(asked.labels)} labels")
    known, canaries = _answers(requests, asking, fresh=fresh)
    labels: dict[str, tuple[Label, ...] | None] = dict(asked.ruled)
    failed = 0
    for name, request in asked.labels.items():
        verdict = known[_place(request)]
        labels[name] = (read_label(verdict.scores[BEHAVIOUR]),) if verdict.scores else None
        failed += not verdict.scores
    marks: dict[str, int] = {}
    quality: dict[str, float] = {}
    for name, request in asked.naturalness.items():
        verdict = known[_place(request)]
        mark = (verdict.scores or {}).get(_MARK)
        if isinstance(mark, int):
            marks[name] = mark
        if _QUALITY in verdict.evidence:
            quality[name] = float(verdict.evidence[_QUALITY])
    verdicts = {_place(request): known[_place(request)] for request in requests}
    ordered = tuple(verdicts[place] for place in sorted(verdicts))
    return PairJudging(labels, marks, quality, asked.flags, ordered, failed, canaries, asking.fingerprint)


def _requests(
    items: Sequence[DuplexInput],
    submission: Submission,
    root: Path,
    words: PairWords,
    asking: Asking,
    policy: str,
) -> _Asked:
    asked = _Asked({}, {}, {}, {})
    heard = _audio(items, submission, root, words, asking)
    for item in items:
        case, said = asking.rules.case(item.scenario, item.part), words.of(item.file)
        if case is None or said is None:
            continue
        if case.value != "rejection":
            calm = words.of(item.clean) if item.clean is not None else None
            if calm is None and policy == "published":
                continue
            found = behaviour_of(item, case, calm, said, asking.rules.model_gap_s)
            if not found.spoke:
                asked.ruled[item.file] = ("UNKNOWN",)
            else:
                flags = injection_flags(found.turns[-1][1])
                if flags:
                    asked.flags[item.file] = flags
                asked.labels[item.file] = _request(BEHAVIOUR, item.language, found.turns, "behaviour", asking)
        if said.words and f"{NATURALNESS}.{_MARK}" not in asking.profile.not_judged:
            turns = ((all_said(item.annotation), one_line(said.text)),)
            sound = heard.get(item.file)
            asked.naturalness[item.file] = _request(NATURALNESS, item.language, turns, _MARK, asking, sound)
    return asked


def _request(
    task: str,
    language: str,
    turns: Sequence[tuple[str, str]],
    dimension: str,
    asking: Asking,
    sound: str | None = None,
) -> JudgeRequest:
    context = tuple(ContextTurn(number, user, "", said) for number, (user, said) in enumerate(turns, 1))
    item = JudgeItem(task, language, context, (dimension,), sound)
    return judge_request(item, asking.challenge, asking.fingerprint)


def _audio(
    items: Sequence[DuplexInput], submission: Submission, root: Path, words: PairWords, asking: Asking
) -> dict[str, str]:
    """Canonical copies of the outputs that say something, under their own digests below the folder of ours; a server
    hears nothing."""
    if asking.judge is None:
        return {}
    folder = asking.work / AUDIO
    folder.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, tuple[Path, Path, str | None]] = {}
    for item in items:
        audio, said = submission.pairs.get(input_path(item.file)), words.of(item.file)
        if audio is not None and audio.state == "ok" and said is not None and said.words:
            jobs[item.file] = (root / audio.path, folder / f"making-{len(jobs)}.wav", audio.sha256)
    digests = canonical_wavs(list(jobs.values()), asking.challenge)
    for (_, made, _), sha256 in zip(jobs.values(), digests, strict=True):
        made.replace(folder / f"{sha256}.wav")
    return dict(zip(jobs, digests, strict=True))


def _answers(
    requests: Sequence[JudgeRequest], asking: Asking, *, fresh: bool
) -> tuple[dict[Place, Verdict], CanaryCheck | None]:
    challenge, profile = asking.challenge, asking.profile
    if asking.judge is None:
        assert asking.server is not None  # see Asking
        return ask_server(requests, asking.server, profile, challenge), None
    store = VerdictStore(cache_dir() / "verdicts", asking.fingerprint)
    canaries = talk_requests(challenge, profile, asking.fingerprint)
    known: dict[Place, Verdict] = store.known([*(() if fresh else requests), *canaries.values()], challenge)
    waiting = [request for request in requests if _place(request) not in known]
    planted = canaries_to_ask(canaries, known, profile, busy=bool(waiting))
    if waiting or planted:
        known |= ask_judge([*waiting, *planted], asking.judge, challenge, profile, asking.work)
    marked = {name: known[_place(each)] for name, each in canaries.items()}
    check = check_talks(challenge, profile, marked)
    if check is None or check.passed:
        store.keep(known.values())  # what a drifting judge said is not used again
    return known, check


def _place(request: JudgeRequest) -> Place:
    return (request.item, request.sample)


def naturalness_of(judging: PairJudging, names: Sequence[str]) -> dict[str, Any]:
    """Means over the outputs of one language, beside the ranking: the judge's mark of the words, DNSMOS of the
    sound."""
    found: dict[str, Any] = {}
    measures: tuple[tuple[str, Mapping[str, float]], ...] = ((NATURALNESS, judging.marks), ("dnsmos", judging.quality))
    for measure, values in measures:
        mine = [Fraction(str(values[name])) for name in names if name in values]
        mean = float(sum(mine, Fraction(0)) / len(mine)) if mine else None
        found[measure] = {"mean": None if mean is None else round(mean, 6), "n": len(mine)}
    return found
