"""A team's own text on its way to a reader: nothing in it may steer a terminal, a page or a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

# Controls, formatting (bidi, zero width, tags), surrogates, private use, unassigned, line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
}
# What a spreadsheet takes for a formula when it opens a cell; full-width forms count for some of them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_MAX_COMBINING = 2


def visible(text: str, limit: int | None = None) -> str:
    """``text`` on one line with every character that could steer a terminal written as its escape.

    Combining marks beyond two on one base are escaped too; with ``limit``, at most that many characters are kept.
    """
    out: list[str] = []
    combining = 0
    for character in text if limit is None else text[: limit + 1]:
        category = unicodedata.category(character)
        combining = combining + 1 if category in {"Mn", "Me"} else 0
        unsafe = category in _UNSAFE_CATEGORIES or combining > _MAX_COMBINING
        out.append(_escape(character) if unsafe else " " if category == "Zs" else character)
    shown = "".join(out)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes: a wide character two, a combining mark none."""
    marks = {"Mn", "Me"}
    return sum(
        0 if unicodedata.category(c) in marks else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1
        for c in text
    )


def cut(text: str, limit: int) -> str:
    """`visible`, and at most ``limit`` columns wide."""
    shown = visible(text, limit)
    if columns(shown) <= limit:
        return shown
    while columns(shown) > limit - 1:
        shown = shown[:-1]
    return shown + "…"


def _escape(character: str) -> str:
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def for_markdown(text: str) -> str:
    """Literal text in a cell of a Markdown table: no markup, no HTML, no link, no new column."""
    literal = _MARKDOWN.sub(r"\\\g<0>", visible(text))
    for character, entity in _HTML.items():
        literal = literal.replace(character, entity)
    return literal.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def for_latex(text: str) -> str:
    """Literal text in LaTeX: no command, no comment, no column or line of a table."""
    return "".join(_LATEX.get(character, character) for character in visible(text))


def for_csv(text: str) -> str:
    """Literal text in a spreadsheet's cell: what would start a formula is prefixed with an apostrophe."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def for_json(serialised: str) -> str:
    """JSON text with the same value whose strings hold no character that could steer a terminal.

    Outside of strings JSON has none of them but the line feed, so replacing them by escapes is safe.
    """
    return "".join(
        _json_escape(c) if c != "\n" and unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in serialised
    )


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
