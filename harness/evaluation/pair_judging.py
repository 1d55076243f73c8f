"""Behaviour labels and naturalness of full-duplex outputs, by the judge, with the defences of other judging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest
from harness.documents.duplex import DuplexInput, input_path
from harness.documents.submission import Submission
from harness.evaluation.answering import JudgeTerms, answers, reading_of
from harness.evaluation.asking import ask_judge
from harness.evaluation.judge_image import JudgeImage
from harness.evaluation.judge_server import Server, ask_server, server_inputs
from harness.evaluation.pair_asking import AskTerms, PairJudging, pair_requests, read_answers
from harness.evaluation.pair_words import PairWords
from harness.judge.requests import AUDIO
from harness.submission import canonical_wavs


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
    """Ask everything that `pair_requests` wants asked; a server hears nothing.

    Raises MachineError (I_JUDGE) when the judge gave no verdict at all.
    """
    sounds = {}
    if asking.judge is not None:
        sounds = canonical_outputs(items, submission, root, words, asking.work / AUDIO, asking.challenge)
    terms = AskTerms(asking.challenge, asking.rules, asking.profile, asking.fingerprint, policy)
    asked = pair_requests(items, words, sounds, terms)
    progress(f"asking the judge {asking.profile.id} for {len(asked.labels)} labels")
    if asking.judge is None:
        assert asking.server is not None  # see Asking
        known = ask_server(asked.requests, asking.server, asking.profile, asking.challenge)
        return read_answers(asked, known, None, asking.fingerprint)
    judge, reading = asking.judge, reading_of(asking.challenge, submission.track, policy)
    said = answers(
        asked.requests,
        JudgeTerms(asking.challenge, asking.profile, asking.fingerprint, submission.track, reading, fresh),
        lambda these: ask_judge(these, judge, asking.challenge, asking.profile, asking.work, reading=reading),
        progress,
    )
    return read_answers(asked, said.verdicts, said.check, asking.fingerprint)


def canonical_outputs(
    items: Sequence[DuplexInput],
    submission: Submission,
    root: Path,
    words: PairWords,
    folder: Path,
    challenge: Challenge,
) -> dict[str, str]:
    """Canonical copies in ``folder`` of the outputs that say something, under their own digests, which are returned by
    the input's name. Raises Refused (E_CHANGED) when a file is not what was checked."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, tuple[Path, Path, str | None]] = {}
    for item in items:
        audio, said = submission.pairs.get(input_path(item.file)), words.of(item.file)
        if audio is not None and audio.state == "ok" and said is not None and said.words:
            jobs[item.file] = (root / audio.path, folder / f"making-{len(jobs)}.wav", audio.sha256)
    digests = canonical_wavs(list(jobs.values()), challenge)
    for (_, made, _), sha256 in zip(jobs.values(), digests, strict=True):
        made.replace(folder / f"{sha256}.wav")
    return dict(zip(jobs, digests, strict=True))
