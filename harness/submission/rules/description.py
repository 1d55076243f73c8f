"""The system description: one PDF at the top, long enough; and the team's name when only the PDF tells it."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase
from typing import Protocol

from harness.submission.ledger import Ledger
from harness.submission.readers.pdf import PageCount
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.tree import Tree
from harness.submission.rules.layout import report_missing


class Described(Protocol):
    """What a layout of any track says of the description: the pattern of its name, and whether a manifest is."""

    @property
    def pdf(self) -> str: ...

    @property
    def manifest(self) -> str: ...


def find_pdf(tree: Tree, layout: Described, ledger: Ledger) -> str | None:
    """The PDF at the top that is taken as the system description; reports what is odd about it."""
    pdfs = sorted(path for path in tree.files if "/" not in path and path.lower().endswith(".pdf"))
    named = [path for path in pdfs if fnmatchcase(path, layout.pdf)]
    if len(named) == 1:
        return named[0]
    if len(pdfs) > 1:
        ledger.add("E_PDF_MANY", count=len(pdfs), pattern=quoted(layout.pdf))
        return None
    if pdfs:
        ledger.add("W_PDF_NAME", file=pdfs[0], name=quoted(pdfs[0]), pattern=quoted(layout.pdf))
        return pdfs[0]
    report_missing([layout.pdf], tree, ledger)
    return None


def start_counting(tree: Tree, path: str, ledger: Ledger) -> PageCount | None:
    """Start counting pages beside the other checks."""
    try:
        return PageCount(tree, path)
    except Refusal as refusal:
        ledger.refuse(refusal, file=path)
        return None


def report_pages(count: PageCount, path: str, min_pages: int, ledger: Ledger) -> None:
    """Wait for the count and report a description that is too short or broken."""
    try:
        pages = count.pages()
    except Refusal as refusal:
        ledger.refuse(refusal, file=path)
        return
    if pages < min_pages:
        ledger.add("E_PDF_PAGES", file=path, name=quoted(path), pages=pages, limit=min_pages)


def team_name(path: str, layout: Described) -> str:
    """What the PDF's name says of the team: the part that the pattern leaves open, or the name without suffix."""
    head, star, tail = layout.pdf.partition("*")
    if star and fnmatchcase(path, layout.pdf):
        return path[len(head) : len(path) - len(tail)].strip("[] _")
    return path.rpartition(".")[0]


def slug(name: str) -> str:
    """A team id made of free text: a-z, 0-9 and single dashes, at most 32; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).casefold().encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].strip("-")
