"""From what was handed in to what the judge is asked: the check, the canonical document, the requests.

For the run itself, and whenever it is repeated from stored outputs.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.codec import canonical_json, from_plain, jsonl, pretty_json, to_plain
from harness.documents.reference import ReferenceDialogue
from harness.documents.verdict import JudgeRequest
from harness.errors import UsageError
from harness.evaluation.judging import judge_requests
from harness.evaluation.tasks import Prepared
from harness.scoring import Key, plan_items
from harness.submission import check


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a hand-in is looked at; ``fingerprint`` is the judge's, ``layout`` that of the references."""

    track: str
    policy: str
    profile: str
    fingerprint: str
    layout: str


def prepare(
    source: Path,
    team: str,
    gold: Sequence[ReferenceDialogue],
    challenge: Challenge,
    terms: Terms,
    work: Path,
    *,
    collected: bool,
) -> Prepared:
    """Check ``source`` and make its requests; the canonical audio that they name is made below ``work``.
    ``collected``: it is what an image wrote."""
    profile, policy = challenge.judges[terms.profile], challenge.policies[terms.policy]
    handed_in = source_digest(source)
    with tempfile.TemporaryDirectory(dir=work, prefix="unpacked-") as unpacked:
        outcome = check(
            source,
            challenge,
            layout="seed" if collected else "auto",
            expected=[dialogue for dialogue in gold if challenge.tasks[dialogue.task].track == terms.track],
            track=terms.track,
            team=team,
            policy=policy.id,
            from_image=collected,
            work=Path(unpacked),
        )
        validation = pretty_json(to_plain(outcome.report))
        if not outcome.report.valid or outcome.submission is None or outcome.root is None:
            return Prepared(handed_in, False, validation, None, None)
        plan = plan_items(gold, outcome.submission, challenge, policy, terms.layout, profile)
        requests = judge_requests(plan, outcome.root, challenge, terms.fingerprint, work)
    document = canonical_json(to_plain(outcome.submission)) + b"\n"
    return Prepared(handed_in, True, validation, document, requests_lines(requests))


def source_digest(path: Path) -> str:
    """What was handed in: the sha256 of an archive, or a digest over a folder's names and contents."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
    total = hashlib.sha256()
    for file in sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink()):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(canonical_json([os.fsencode(file.relative_to(path)).decode("utf-8", "replace"), content]))
    return "sha256:" + total.hexdigest()


def changed(team: str) -> UsageError:
    """For a hand-in that is not what this run looked at before."""
    return UsageError(
        f"what {team} handed in has changed since this run looked at it",
        code="E_PIN",
        hint="restore it, or begin a new run",
    )


def requests_lines(requests: dict[Key, JudgeRequest]) -> bytes:
    """Each judged item's place and request, in the plan's order."""
    return jsonl([{"place": list(place), "request": to_plain(request)} for place, request in requests.items()])


def read_requests(raw: bytes) -> dict[Key, JudgeRequest]:
    """The opposite of `requests_lines`."""
    found: dict[Key, JudgeRequest] = {}
    for line in raw.splitlines():
        plain = json.loads(line)
        task, language, dialogue_id = plain["place"]
        found[task, language, dialogue_id] = from_plain(JudgeRequest, plain["request"])
    return found
