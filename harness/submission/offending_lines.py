"""The lines that findings speak of, read again for a person who wants to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.challenge.reading import ReadLimits
from harness.documents.finding import Finding
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.tree import Tree, scan

Lines = Mapping[tuple[str, int], str]


def offending_lines(root: Path, findings: Iterable[Finding], limits: ReadLimits) -> Lines:
    """(file, line) to that line's text for every finding that names both, as far as it can still be read.

    ``root`` is the folder to which the findings' files are relative. Lines over the cap are left out.
    """
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        if finding.file is not None and finding.line is not None:
            wanted.setdefault(finding.file, set()).add(finding.line)
    if not wanted:
        return {}
    found: dict[tuple[str, int], str] = {}
    try:
        tree = scan(root, limits)
    except (Refusal, OSError):
        return {}
    for file, numbers in wanted.items():
        if file in tree.files and tree.files[file].bytes <= limits.jsonl_bytes:
            found |= {(file, number): line for number, line in _lines(tree, file, numbers, limits.line_bytes)}
    return found


def _lines(tree: Tree, file: str, numbers: set[int], cap: int) -> Iterable[tuple[int, str]]:
    last = max(numbers)
    try:
        with tree.open(file) as descriptor, open(descriptor, "rb", closefd=False) as stream:
            for number, line in enumerate(stream, 1):
                if number in numbers and len(line) <= cap:
                    yield number, line.removesuffix(b"\n").decode("utf-8", "replace")
                if number >= last:
                    break
    except (Refusal, OSError):
        return
