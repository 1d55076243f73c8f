"""The judging of one submission: canonical audio and requests in, verdicts out, through the judge container.

The container is run like a team's: no network, read-only, capped; requests and weights are mounted read-only. A
judgement that fails is the organisers' trouble: it is asked again, and what fails in the end says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest
from harness.documents.report import CanaryCheck
from harness.documents.verdict import JudgeRequest, Verdict
from harness.evaluation.answering import JudgeTerms, answers
from harness.evaluation.asking import ask_judge, judge_of
from harness.evaluation.judge_replay import Replay, replayed
from harness.evaluation.judge_server import Server, ask_server, server_inputs
from harness.evaluation.review import merged, reply_flags, verdict_flags
from harness.evaluation.verdict_store import place_of
from harness.judge import JudgeItem, judge_request
from harness.judge.requests import AUDIO
from harness.judge.verdicts import Place
from harness.scoring import ItemPlan, Key, PlannedDialogue
from harness.submission import canonical_wavs


@dataclass(frozen=True, slots=True)
class Judging:
    """What the judge said. ``verdicts`` and ``flags`` are by (task, language, dialogue_id); ``canaries`` says how it
    marked the known-answer items, None when its profile has none."""

    verdicts: Mapping[Key, Verdict]
    flags: Mapping[Key, tuple[str, ...]]
    fingerprint: str
    fingerprint_inputs: dict[str, Any]
    canaries: CanaryCheck | None = None

    def ordered(self) -> list[Verdict]:
        """Every verdict once, by item and sample: the order tells nothing about dialogues."""
        unique = {(verdict.item, verdict.sample): verdict for verdict in self.verdicts.values()}
        return [unique[place] for place in sorted(unique)]


def judge_items(
    plan: ItemPlan,
    root: Path,
    challenge: Challenge,
    profile: JudgeProfile,
    work: Path,
    progress: Callable[[str], None],
    *,
    fresh: bool = False,
) -> Judging:
    """Judge all that ``plan`` wants judged; ``root`` is where the submission's files lie, ``work`` a folder of ours.
    ``fresh`` asks the judge even for what it has judged before.

    Raises MachineError (I_JUDGE) when the judge gave no verdict at all, and I_ENGINE, I_DISK as its parts do.
    """
    judge = judge_of(challenge, profile, progress=progress)
    reading = plan.policy.reply_reading
    requests = judge_requests(plan, root, challenge, judge.fingerprint, work)
    said = answers(
        list(requests.values()),
        JudgeTerms(challenge, profile, judge.fingerprint, plan.track, reading, fresh),
        lambda asked: ask_judge(asked, judge, challenge, profile, work, reading=reading),
        progress,
    )
    return _judging(plan, profile, requests, said.verdicts, judge.fingerprint, judge.fingerprint_inputs, said.check)


def replay_items(plan: ItemPlan, root: Path, challenge: Challenge, replay: Replay, work: Path) -> Judging:
    """As `judge_items`, out of stored verdicts: no judge is asked, and the fingerprint is that of the one that was."""
    requests = judge_requests(plan, root, challenge, replay.fingerprint, work)
    known = replayed(replay, list(requests.values()), challenge)
    inputs = replay.fingerprint_inputs
    return _judging(plan, replay.profile, requests, known, replay.fingerprint, inputs, replay.canaries)


def serve_items(
    plan: ItemPlan,
    root: Path,
    challenge: Challenge,
    profile: JudgeProfile,
    server: Server,
    work: Path,
    progress: Callable[[str], None],
) -> Judging:
    """As `judge_items`, by a server of the user's. Nothing is stored: what answers there may change at any time.

    Raises MachineError (I_JUDGE) when the server gave no verdict at all.
    """
    inputs = server_inputs(profile, server)
    requests = judge_requests(plan, root, challenge, digest(inputs), work)
    unique = {place_of(request): request for request in requests.values()}
    progress(f"judging {len(unique)} replies with {server.model} at {server.url}; this is never official")
    known = ask_server(list(unique.values()), server, profile, challenge)
    return _judging(plan, profile, requests, known, digest(inputs), inputs, None)


def _judging(
    plan: ItemPlan,
    profile: JudgeProfile,
    requests: Mapping[Key, JudgeRequest],
    known: Mapping[Place, Verdict],
    fingerprint: str,
    inputs: dict[str, Any],
    canaries: CanaryCheck | None,
) -> Judging:
    verdicts = {key: known[place_of(request)] for key, request in requests.items()}
    flags = merged(reply_flags(plan), verdict_flags(plan, {key: (each,) for key, each in verdicts.items()}, profile))
    return Judging(verdicts, flags, fingerprint, inputs, canaries)


def judge_requests(
    plan: ItemPlan, root: Path, challenge: Challenge, fingerprint: str, work: Path
) -> dict[Key, JudgeRequest]:
    """The request of every item that ``plan`` wants judged by the judge of ``fingerprint``. The canonical audio that
    they name is made below ``work`` from the submission's files, which lie in ``root``."""
    audio = work / AUDIO
    audio.mkdir(parents=True, exist_ok=True)
    heard = _canonical_audio(plan, root, audio, challenge)
    return {
        planned.key: judge_request(
            judge_item(planned, heard.get(planned.key)), challenge, fingerprint, reading=plan.policy.reply_reading
        )
        for planned in plan.to_judge
    }


def judge_item(planned: PlannedDialogue, sha256: str | None) -> JudgeItem:
    task, language, _ = planned.key
    return JudgeItem(task, language, planned.context(), planned.wanted, sha256)


def _canonical_audio(plan: ItemPlan, root: Path, audio: Path, challenge: Challenge) -> dict[Key, str]:
    """Write the canonical WAV of every judged reply that has one under its own digest, so that its name tells nothing;
    returns the digests. Raises Refused (E_CHANGED) when a file is not what was checked."""
    jobs: dict[Key, tuple[Path, Path, str | None]] = {}
    for planned in plan.to_judge:
        wants_audio = bool(challenge.tasks[planned.key[0]].dimension_ids("audio"))
        reply = planned.evaluated
        if wants_audio and reply is not None and reply.audio is not None and reply.audio.state == "ok":
            made = audio / f"making-{len(jobs)}.wav"
            jobs[planned.key] = (root / reply.audio.path, made, reply.audio.sha256)
    digests = canonical_wavs(list(jobs.values()), challenge)
    for (_, made, _), sha256 in zip(jobs.values(), digests, strict=True):
        made.replace(audio / f"{sha256}.wav")
    return dict(zip(jobs, digests, strict=True))
