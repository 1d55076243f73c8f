"""What the judge container is given: one line an item, and the settings that say how to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile, Task
from harness.documents.codec import canonical_json, digest, jsonl, to_plain
from harness.documents.verdict import ContextTurn, JudgeRequest
from harness.errors import UsageError
from harness.judge.sanitise import neutral_text

REQUESTS, SETTINGS = "requests.jsonl", "settings.json"
AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """One evaluated turn that wants a verdict.

    ``context`` runs up to and including the evaluated turn: user text and emotion from the organisers' references,
    replies from the team. ``audio_sha256`` is of the reply's canonical WAV (hex), or None when there is none to hear.
    """

    task: str
    language: str
    context: tuple[ContextTurn, ...]
    dimensions: tuple[str, ...]
    audio_sha256: str | None = None


def judge_request(
    item: JudgeItem, challenge: Challenge, fingerprint: str, *, sample: int = 0, reading: str = "strict"
) -> JudgeRequest:
    """The request of one item. Replies are neutralised here, so that nothing later can forget it.

    Its ``item`` is the digest of all that may change the verdict: gold, replies, audio, dimensions, scale, judge
    (``fingerprint``), sample, and how the policy has the judge answer (``reading``).
    Equal work has equal items; a dialogue's id is not in it and never reaches the judge.
    Raises UsageError (E_CONFIG) for a task or dimension that the challenge does not have.
    """
    task = challenge.tasks.get(item.task)
    unknown = set(item.dimensions) - set(task.dimension_ids() if task else ())
    if task is None or unknown or not item.context:
        raise UsageError(
            f"the challenge has no {item.task}.{min(unknown, default='')}: it cannot be judged",
            code="E_CONFIG",
            hint="score with the challenge spec that the items were made for",
        )
    request = JudgeRequest(
        item="",
        task=item.task,
        language=item.language,
        context=tuple(replace(turn, reply=neutral_text(turn.reply)) for turn in item.context),
        dimensions=item.dimensions,
        audio=None if item.audio_sha256 is None else f"{AUDIO}/{item.audio_sha256}.wav",
        sample=sample,
    )
    identity = {
        "request": to_plain(request),
        "task": {"scale": task.scale, "evaluated_turn": task.evaluated_turn, **_labels(task)},
        "judge": fingerprint,
        "version": 1,
        **({} if reading == "strict" else {"reading": reading}),
    }
    item_digest = digest(identity)
    seed = int(item_digest.removeprefix("sha256:")[:8], 16)
    return replace(request, item=item_digest, seed=seed)


def _labels(task: Task) -> dict[str, Any]:
    labels = {dimension.id: list(dimension.values) for dimension in task.dimensions if dimension.values}
    return {"labels": labels} if labels else {}


def sample_of(request: JudgeRequest, sample: int) -> JudgeRequest:
    """The same item asked another time: sample 0 is the request itself, every other has a seed of its own."""
    if not sample:
        return request
    seed = int(digest([request.item, sample]).removeprefix("sha256:")[:8], 16)
    return replace(request, sample=sample, seed=seed)


def request_files(
    requests: Iterable[JudgeRequest],
    challenge: Challenge,
    profile: JudgeProfile,
    prompts: Mapping[str, str],
    *,
    reading: str = "strict",
) -> dict[str, bytes]:
    """The two files of the request folder. Equal requests are written once; the order is by item and sample, so
    that it tells nothing about teams. ``prompts`` maps each prompt file to the digest that the judge must find."""
    unique = {(request.item, request.sample): request for request in requests}
    lines = [to_plain(unique[key]) for key in sorted(unique)]
    settings = settings_document(challenge, profile, prompts, reading=reading)
    return {REQUESTS: jsonl(lines), SETTINGS: canonical_json(settings) + b"\n"}


def settings_document(
    challenge: Challenge, profile: JudgeProfile, prompts: Mapping[str, str], *, reading: str = "strict"
) -> dict[str, Any]:
    """What the judge must know of the challenge: scales, emotions, the profile's own settings, prompt digests.

    ``reading`` is the policy's reply_reading; an engine that decodes takes the profile's decoding of that name.
    """
    return {
        "schema_version": 1,
        "profile": profile.id,
        "engine": profile.engine,
        "settings": profile.settings,
        "reading": reading,
        "not_judged": list(profile.not_judged),
        "neutral_emotion": challenge.neutral_emotion,
        "tasks": {
            task.id: {
                "scale": list(task.scale),
                "evaluated_turn": task.evaluated_turn,
                "dimensions": list(task.dimension_ids()),
                "values": {name: list(values) for name, values in task.allowed().items()},
                "audio": list(task.dimension_ids("audio")),
            }
            for task in challenge.tasks.values()
            if task.allowed()
        },
        "min_speech_s": challenge.audio.min_speech_s,
        "prompts": dict(sorted(prompts.items())),
    }
