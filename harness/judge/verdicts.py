"""Reads what the judge container wrote. Strict: a line that is not exactly a verdict is none, and is never repaired."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from harness.challenge.spec import Challenge
from harness.documents.verdict import JudgeRequest, Verdict

_KEYS = {"item", "sample", "scores", "reasons", "raw_sha256", "attempts", "state", "evidence"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REASON_CHARS = 2000
Place = tuple[str, int]


def read_verdicts(
    raw: bytes, requests: Iterable[JudgeRequest], challenge: Challenge, *, free: bool = False
) -> dict[Place, Verdict]:
    """One verdict for every request, by item and sample. ``free``: the judge answered in free text, which is read
    elsewhere, so a verdict may have no scores.

    A request without exactly one good line has failed: no line, two lines, a mark outside the task's scale, a float,
    a dimension too many or too few, an unknown key, a duplicate key, NaN. Lines about unknown items are ignored.
    ``reasons`` of a failed verdict say what was wrong, for the organisers.
    """
    wanted = {(request.item, request.sample): request for request in requests}
    found: dict[Place, list[Verdict | str]] = {place: [] for place in wanted}
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        plain = _parse(line)
        place = _place(plain)
        if place in found:
            found[place].append(_verdict(plain, wanted[place], challenge, free=free))
    return {place: _only(place, lines) for place, lines in found.items()}


def read_replies(raw: bytes) -> dict[Place, str]:
    """The free texts of replies.jsonl, by item and sample; lines that are none are left out."""
    plains = [_parse(line) for line in raw.split(b"\n") if line.strip()]
    return {_place(plain): plain["text"] for plain in plains if isinstance(plain.get("text"), str)}


def read_in_flight(raw: bytes) -> set[Place]:
    """What the judge was at when it ended; empty when it does not say."""
    try:
        listed = json.loads(raw)
        return {(str(item), int(sample)) for item, sample in listed}
    except (ValueError, TypeError, OverflowError, RecursionError):
        return set()


def _only(place: Place, lines: Sequence[Verdict | str]) -> Verdict:
    if not lines:
        return failed(place, "the judge wrote no verdict")
    if len(lines) > 1:
        return failed(place, "the judge wrote more than one verdict")
    (line,) = lines
    return failed(place, line) if isinstance(line, str) else line


def failed(place: Place, why: str, *, attempts: int = 1) -> Verdict:
    """The verdict of an item that was not judged."""
    item, sample = place
    return Verdict(item, sample, None, {"failed": why}, "", attempts, "failed")


def _parse(line: bytes) -> dict[str, Any]:
    """One JSON object, or {} for anything else: then it is about no item that we know."""
    try:
        plain = json.loads(line.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        # Kept recognisable: the item is known and has a bad line, instead of none.
        return {**dict(pairs), "": "duplicate key"}
    return dict(pairs)


def _place(plain: dict[str, Any]) -> Place:
    item, sample = plain.get("item"), plain.get("sample")
    return (item, sample) if isinstance(item, str) and type(sample) is int else ("", -1)


def _verdict(plain: dict[str, Any], request: JudgeRequest, challenge: Challenge, *, free: bool) -> Verdict | str:
    """The verdict, or what is wrong with it."""
    if plain.keys() != _KEYS:
        return "the verdict has other keys than a verdict"
    problem = _shape_problem(plain)
    if problem:
        return problem
    if plain["state"] == "failed":
        if plain["scores"] is not None:
            return "a failed verdict has scores"
        return Verdict(**plain)
    allowed = challenge.tasks[request.task].allowed()
    scores = plain["scores"]
    if free and scores == {}:
        return Verdict(**plain)
    if not isinstance(scores, dict) or set(scores) != _asked(request, plain["evidence"], challenge):
        return "the verdict marks other dimensions than were asked"
    if not all(_is_one_of(mark, allowed.get(dimension, ())) for dimension, mark in scores.items()):
        return "the verdict holds what is no mark of the scale"
    return Verdict(**plain)


def _asked(request: JudgeRequest, evidence: dict[str, Any], challenge: Challenge) -> set[str]:
    """The dimensions that the judge was asked about: those of audio not where nobody speaks in it."""
    heard = evidence.get("speech_s")
    silent = heard is not None and heard < challenge.audio.min_speech_s
    return set(request.dimensions) - set(challenge.tasks[request.task].dimension_ids("audio") if silent else ())


def _is_one_of(mark: Any, values: Sequence[int | str]) -> bool:
    """Equal in value and in type: 5.0 and true are no marks."""
    return any(type(mark) is type(value) and mark == value for value in values)


def _shape_problem(plain: dict[str, Any]) -> str:
    reasons, evidence = plain["reasons"], plain["evidence"]
    if plain["state"] not in ("scored", "failed"):
        return "the verdict has an unknown state"
    if type(plain["attempts"]) is not int or plain["attempts"] < 1:
        return "the verdict counts its attempts wrongly"
    if not isinstance(plain["raw_sha256"], str) or not (
        _SHA256.fullmatch(plain["raw_sha256"]) or (plain["state"] == "failed" and not plain["raw_sha256"])
    ):
        return "the verdict names no digest of what the model gave"
    if not isinstance(reasons, dict) or not all(
        isinstance(reason, str) and len(reason) <= _REASON_CHARS for reason in reasons.values()
    ):
        return "the verdict's reasons are not texts"
    if not isinstance(evidence, dict) or not all(_finite(value) for value in evidence.values()):
        return "the verdict's evidence is not numbers"
    return ""


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
