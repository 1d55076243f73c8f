"""`--judge replay`: stored verdicts once more, under the fingerprint of the judge that gave them.

An item's key is a digest of all that may change its verdict, that judge's fingerprint included; so a stored verdict is
found again only for exactly the work that it was given for. What has none is a failed judgement, never a mark.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest, read_document
from harness.documents.report import CanaryCheck, ScoreReport
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import UsageError
from harness.evaluation.judge_server import ENGINE, server_profile
from harness.judge import read_verdicts
from harness.judge.verdicts import Place, failed

VERDICTS, FINGERPRINT, REPORT = "verdicts.jsonl", "fingerprint.json", "report.json"
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Replay:
    """What one scoring left: its verdicts as bytes, who gave them, and how that judge marked its known answers."""

    raw: bytes
    profile: JudgeProfile
    fingerprint: str
    fingerprint_inputs: dict[str, Any]
    canaries: CanaryCheck | None


def open_replay(path: Path, challenge: Challenge) -> Replay:
    """The scoring in the folder ``path``, or beside the file ``path`` (a verdicts.jsonl).

    Raises UsageError (E_REPLAY) when the verdicts or the judge's fingerprint are not there, when the judge's known
    answers are not there though its profile has some, or when the challenge does not know the judge.
    """
    verdicts = path / VERDICTS if path.is_dir() else path
    try:
        if verdicts.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{verdicts.name} is larger than {_MOST_BYTES} bytes")
        raw = verdicts.read_bytes()
        inputs = json.loads((verdicts.parent / FINGERPRINT).read_bytes())
        named, engine, model = (str(inputs[key]) for key in ("profile", "engine", "model"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unusable(f"its verdicts and fingerprint cannot be read ({error})") from error
    profile = server_profile(model, challenge) if engine == ENGINE else challenge.judges.get(named)
    if profile is None or profile.engine != engine:
        raise _unusable(f"this challenge has no judge {named!r} with the engine {engine!r}")
    fingerprint = digest(inputs)
    return Replay(raw, profile, fingerprint, inputs, _canaries(verdicts.parent / REPORT, profile, fingerprint))


def _canaries(path: Path, profile: JudgeProfile, fingerprint: str) -> CanaryCheck | None:
    """The stored check of the known answers: a replay must not lose it, for it can stop a publication."""
    if not profile.canaries:
        return None
    if not path.is_file():
        raise _unusable(f"{path.name} is missing, which says how the judge marked its known answers")
    report = read_document(ScoreReport, path)
    if report.judge is None or report.judge.fingerprint != fingerprint or report.canaries is None:
        raise _unusable(f"{path.name} is not of this judge")
    return report.canaries


def replayed(replay: Replay, requests: Sequence[JudgeRequest], challenge: Challenge) -> dict[Place, Verdict]:
    """A verdict for every request: the stored one, or a failed one that says E_NO_VERDICT."""
    found = read_verdicts(replay.raw, requests, challenge)
    return {
        place: verdict if verdict.state == "scored" else _missing(place, verdict) for place, verdict in found.items()
    }


def _missing(place: Place, verdict: Verdict) -> Verdict:
    code = "E_NO_VERDICT"
    return failed(place, f"{code}: no stored verdict is of this item ({verdict.reasons.get('failed', 'none')})"[:500])


def _unusable(why: str) -> UsageError:
    return UsageError(
        f"the stored verdicts cannot be used: {why}",
        code="E_REPLAY",
        hint="pass --verdicts the folder that `humdial score --out` wrote",
    )
