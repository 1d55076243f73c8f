"""Asking a judge: containers until every request has a verdict or has used up its attempts.

A judgement that fails is the organisers' trouble. A container that ends in the middle (a call too long, no memory, a
crash) costs an attempt only what was being judged; what had not begun is asked again, and the suspects one by one, so
that an item that kills the judge takes no other with it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import MachineError
from harness.evaluation.judge_container import judge_run
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.evaluation.readings import median_verdict, published_verdict
from harness.evaluation.verdict_store import place_of
from harness.judge import prompt_digests, read_verdicts, request_files
from harness.judge.requests import AUDIO, sample_of
from harness.judge.verdicts import Place, failed, read_in_flight, read_replies
from harness.sandbox import ContainerOutcome, Engine, connect

# A verdict is a few hundred bytes; a thousand times that for each request is more than any honest judge writes.
_BYTES_A_REQUEST = 1 << 18
_SECONDS_A_REQUEST = 120
_DIED = "E_JUDGE_DIED"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one container gave. ``final``: places whose failure is an answer, not to be asked again. ``whole``: it
    ended by itself; else ``in_flight`` are the places that it was judging. ``story`` is for the organisers."""

    verdicts: dict[Place, Verdict]
    final: frozenset[Place]
    whole: bool
    in_flight: set[Place]
    story: str


def judge_of(challenge: Challenge, profile: JudgeProfile, *, progress: Callable[[str], None]) -> JudgeImage:
    """The judge of ``profile``, ready to be asked."""
    return ensure_judge(challenge, profile, progress=progress)


def ask_judge(
    requests: Sequence[JudgeRequest],
    judge: JudgeImage,
    challenge: Challenge,
    profile: JudgeProfile,
    work: Path,
    *,
    reading: str = "strict",
    gpu: str | None = None,
) -> dict[Place, Verdict]:
    """Verdicts by item and sample. What fails is asked again, up to the spec's number of attempts. The audio that the
    requests name lies below ``work``, where `judge_requests` put it. A profile with several ``samples`` asks each item
    so often, with fixed seeds, and gives the median. ``reading`` is the policy's reply_reading; ``gpu`` a device that
    the container gets.

    Raises MachineError (I_JUDGE) when there is not one verdict.
    """
    engine = connect()
    samples = range(int(profile.settings.get("samples", 1)))
    asked = [sample_of(request, sample) for request in requests for sample in samples]
    found, story = collect(
        lambda batch: _one_container(engine, batch, judge, challenge, profile, work, reading, gpu),
        asked,
        challenge.judge_attempts,
    )
    if found and all(verdict.state == "failed" and story for verdict in found.values()):
        raise MachineError(
            f"the judge {profile.id} gave no verdict in {challenge.judge_attempts} attempts",
            code="I_JUDGE",
            hint="`humdial judge verify` checks its image and weights; run the same command again afterwards",
            detail=story,
        )
    return {
        place_of(request): median_verdict(
            [found[place_of(sample_of(request, sample))] for sample in samples], challenge.tasks[request.task]
        )
        for request in requests
    }


def collect(
    ask: Callable[[Sequence[JudgeRequest]], Answer], requests: Sequence[JudgeRequest], attempts: int
) -> tuple[dict[Place, Verdict], str]:
    """Ask until every request has its verdict, or has failed ``attempts`` times. Returns the verdicts and, when
    something failed, how the last container went."""
    found: dict[Place, Verdict] = {}
    tried: Counter[Place] = Counter()
    alone: deque[JudgeRequest] = deque()
    waiting, story = list(requests), ""
    while waiting or alone:
        batch = waiting or [alone.popleft()]
        waiting = []
        answer = ask(batch)
        in_flight = set() if answer.whole else answer.in_flight & {place_of(request) for request in batch}
        begun = not in_flight and (answer.whole or not _said_something(answer))
        for request in batch:
            place = place_of(request)
            verdict = answer.verdicts[place]
            if verdict.state == "scored" or place in answer.final:
                found[place] = replace(verdict, attempts=tried[place] + 1)
                continue
            story = answer.story
            if not (begun or place in in_flight or verdict.reasons.get("failed") != _SILENT):
                waiting.append(request)
                continue
            tried[place] += 1
            died = place in in_flight
            found[place] = replace(_died(place, answer) if died else verdict, attempts=tried[place])
            if tried[place] < attempts:
                (alone if died else waiting).append(request)
    return found, story


_SILENT = "the judge wrote no verdict"


def _said_something(answer: Answer) -> bool:
    return any(verdict.reasons.get("failed") != _SILENT for verdict in answer.verdicts.values())


def _died(place: Place, answer: Answer) -> Verdict:
    why = answer.story.splitlines()[0]
    return failed(place, f"{_DIED}: the judge ended while it was judging this ({why})"[:500])


def _one_container(
    engine: Engine,
    requests: Sequence[JudgeRequest],
    judge: JudgeImage,
    challenge: Challenge,
    profile: JudgeProfile,
    work: Path,
    reading: str,
    gpu: str | None,
) -> Answer:
    """One container, and what it left."""
    folder = work / "requests"
    folder.mkdir(exist_ok=True)
    _link_audio(requests, work / AUDIO, folder / AUDIO)
    for name, data in request_files(requests, challenge, profile, prompt_digests(), reading=reading).items():
        (folder / name).write_bytes(data)
    with judge_run(
        engine,
        judge.image_id,
        {"/requests": folder, "/weights": judge.weights},
        work,
        challenge.run_limits,
        output_bytes=max(_BYTES_A_REQUEST * len(requests), 1 << 20),
        deadline_s=min(challenge.run_limits.wall_s, 300 + _SECONDS_A_REQUEST * len(requests)),
        gpu=gpu,
    ) as run:
        free = reading == "published" and "decoding" in profile.settings
        verdicts = read_verdicts(run.take("verdicts.jsonl") or b"", requests, challenge, free=free)
        final: set[Place] = set()
        if free:
            replies = read_replies(run.take("replies.jsonl") or b"")
            final = {place for place in replies if place in verdicts and verdicts[place].state == "scored"}
            tasks = {place_of(request): request for request in requests}
            for place in final:
                verdicts[place] = published_verdict(verdicts[place], replies[place], tasks[place], challenge)
        return Answer(
            verdicts,
            frozenset(final),
            run.outcome.exit_code == 0,
            read_in_flight(run.take("inflight.json") or b""),
            f"{_ending(run.outcome)}\n{run.outcome}\n{run.said()}",
        )


def _ending(outcome: ContainerOutcome) -> str:
    if not outcome.started:
        return "it did not start"
    if outcome.oom_killed:
        return "out of memory"
    return "out of time" if outcome.timed_out else f"exit code {outcome.exit_code}"


def _link_audio(requests: Iterable[JudgeRequest], source: Path, target: Path) -> None:
    """Only what these requests need is in the container."""
    target.mkdir(exist_ok=True)
    for request in requests:
        if request.audio is not None:
            name = Path(request.audio).name
            if not (target / name).exists():
                (target / name).hardlink_to(source / name)
