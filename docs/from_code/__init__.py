"""Writes the pages of docs/reference/ and the manual page from the code and the data that they describe.

`python docs/from_code` writes them; the site's build and a test compare, so a page cannot say what is no longer so.
"""

from __future__ import annotations

from pathlib import Path

from from_code import codes, exit_codes, metrics, schemas, spec
from from_code.man_page import man_page

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
MAN_PAGE = "../humdial.1"  # seen from there
NOTE = "<!-- Written by `make reference` from {source}; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page: path below docs/reference, text."""
    found: dict[str, str] = {}
    for module in (spec, schemas, codes, metrics, exit_codes):
        for name, text in module.pages().items():
            found[name] = NOTE.format(source=module.SOURCE) + text.rstrip("\n") + "\n"
    found[MAN_PAGE] = man_page()
    return found


def stale_pages() -> list[str]:
    """The pages that differ from what the code says now, and those that nothing writes any more."""
    wanted = pages()
    present = {path.relative_to(REFERENCE).as_posix(): path.read_text("utf-8") for path in REFERENCE.rglob("*.md")}
    if (REFERENCE / MAN_PAGE).is_file():
        present[MAN_PAGE] = (REFERENCE / MAN_PAGE).read_text("utf-8")
    left = {name for name, text in present.items() if text.startswith("<!-- Written by")} - wanted.keys()
    return sorted({name for name, text in wanted.items() if present.get(name) != text} | left)


def write_pages() -> list[str]:
    """Bring every page up to date. Returns the names of those that were not."""
    wanted, stale = pages(), stale_pages()
    for name in stale:
        path = REFERENCE / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], "utf-8")
        else:
            path.unlink()
    return stale
