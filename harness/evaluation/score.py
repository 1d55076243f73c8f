"""`humdial score`: one validated submission to a score report, through the judge container."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.spec import Challenge
from harness.documents.codec import jsonl, pretty_json, read_document, to_plain, write_atomic
from harness.documents.finding import ValidationReport
from harness.documents.report import ScoreReport
from harness.documents.run_record import RunRecord
from harness.errors import MachineError, UsageError
from harness.evaluation.run import RECORD, SUBMISSION, VALIDATION, usable_references
from harness.submission import check

REPORT = "report.json"
ITEMS = "items.jsonl"
VERDICTS = "verdicts.jsonl"


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """``report`` is None when the submission is invalid: then nothing was judged."""

    validation: ValidationReport
    report: ScoreReport | None


def was_collected(subject: Path) -> bool:
    """Whether ``subject`` is what the harness collected from an image: the run record beside it, which a team cannot
    write, lists exactly its files with their hashes."""
    record_path = subject.parent / RECORD
    if subject.name != SUBMISSION or not subject.is_dir() or not record_path.is_file():
        return False
    record = read_document(RunRecord, record_path)
    present = {str(path.relative_to(subject)): path for path in subject.rglob("*") if not path.is_dir()}
    listed = {output.path: output.sha256.removeprefix("sha256:") for output in record.outputs}
    return set(present) == set(listed) and all(_sha256(path) == listed[name] for name, path in present.items())


def _sha256(path: Path) -> str:
    if path.is_symlink():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
