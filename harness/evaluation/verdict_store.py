"""Verdicts that a judge of this fingerprint has given before, by item: equal work is not done twice.

An item's key is the digest of all that may change its verdict (gold, replies, audio, dimensions, judge), so a stored
verdict is the one that the judge would give again. Failed judgements are not stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.codec import jsonl, to_plain, write_atomic
from harness.documents.verdict import JudgeRequest, Verdict
from harness.judge import read_verdicts
from harness.judge.verdicts import Place


def place_of(request: JudgeRequest) -> Place:
    """Where its verdict belongs: item and sample."""
    return (request.item, request.sample)


class VerdictStore:
    """One file a verdict below ``folder``. Reading is as strict as reading the judge's own output."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder / fingerprint.removeprefix("sha256:")

    def known(self, requests: Iterable[JudgeRequest], challenge: Challenge) -> dict[Place, Verdict]:
        """The stored verdicts of those requests that have a good one."""
        found: dict[Place, Verdict] = {}
        for request in requests:
            path = self._path(request.item, request.sample)
            if path.is_file():
                verdict = read_verdicts(path.read_bytes(), [request], challenge)[request.item, request.sample]
                if verdict.state == "scored":
                    found[request.item, request.sample] = verdict
        return found

    def keep(self, verdicts: Iterable[Verdict]) -> None:
        """Store the scored ones. Raises MachineError (I_DISK)."""
        for verdict in verdicts:
            if verdict.state == "scored":
                write_atomic(self._path(verdict.item, verdict.sample), jsonl([to_plain(verdict)]))

    def _path(self, item: str, sample: int) -> Path:
        name = item.removeprefix("sha256:")
        return self.folder / name[:2] / f"{name}-{sample}.json"
