"""Pieces of Markdown that hold whatever the code says, without any of it becoming markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Plain text in a table's cell; backticks stay code."""
    parts = text.replace("\n", " ").replace("|", "\\|").split("`")
    for index in range(0, len(parts), 2):
        for sign in "\\*_<>[]":
            if sign != "\\":
                parts[index] = parts[index].replace(sign, "\\" + sign)
    return "`".join(parts)


def code(text: object) -> str:
    """Inline code, also of text with backticks."""
    inside = str(text).replace("\n", " ").replace("|", "\\|")
    if not inside:
        return ""
    fence = "``" if "`" in inside else "`"
    pad = " " if "`" in inside else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def fence(text: str, language: str = "") -> str:
    """A block of code that ends only where it should."""
    marks = "```"
    while marks in text:
        marks += "`"
    return f"{marks}{language}\n{text.rstrip()}\n{marks}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "".join(f"| {line} |\n" for line in lines)
