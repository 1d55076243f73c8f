"""One line of a file with a caret under what is wrong, cut to a terminal's width."""

from __future__ import annotations

import json
import unicodedata

from harness.reporting.hostile_text import visible

WIDTH = 100  # columns of an excerpt
_BEFORE = 32  # columns kept before what is wrong
_BLANKS = " \t\r\n"
_decoder = json.JSONDecoder()


def excerpt(line: str, column: int | None, pointer: str | None) -> tuple[str, str]:
    """The line, cut and safe to print, and the underline for it. What is underlined: the character at ``column``
    (from 1), else the value that the JSON ``pointer`` names, else the whole line."""
    start, end = _place(line, column, pointer)
    first = 0
    if columns(visible(line[: start + WIDTH])) > WIDTH:
        first = max(0, start - _BEFORE)
        while columns(visible(line[first:start])) > _BEFORE:
            first += 1
    head = ("…" if first else "") + visible(line[first:start])
    marked = visible(line[start:end])
    room = WIDTH - columns(head)
    if columns(marked) > room:
        shown, tail = _cut(marked, room - 1) + "…", ""
    else:
        shown, tail = marked, visible(line[end : end + WIDTH])
        room -= columns(marked)
        if columns(tail) > room or end + WIDTH < len(line):
            tail = _cut(tail, room - 1) + "…"
    return head + shown + tail, " " * columns(head) + "^" * max(1, columns(shown))


def _place(line: str, column: int | None, pointer: str | None) -> tuple[int, int]:
    if column is not None:
        start = min(max(column - 1, 0), len(line))
        return start, min(start + 1, len(line))
    return locate(line, pointer or "") or (0, len(line))


def locate(text: str, pointer: str) -> tuple[int, int] | None:
    """Where the value that an RFC 6901 pointer names stands in JSON ``text``: start and end, or None.

    For a member that is absent, the object that should hold it is not given: None too.
    """
    start = _skip(text, 0)
    try:
        for token in pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            if text[start] == "{":
                inner = _member(text, start + 1, name)
            elif text[start] == "[":
                inner = _item(text, start + 1, int(name)) if name.isdecimal() else None
            else:
                return None
            if inner is None:
                return None
            start = inner
        return start, _decoder.raw_decode(text, start)[1]
    except (ValueError, IndexError, RecursionError):
        return None


def _member(text: str, place: int, name: str) -> int | None:
    found = None
    while text[place := _skip(text, place)] != "}":
        key, place = _decoder.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)  # over the colon
        if key == name:
            found = place  # the last one counts, as it does for most readers
        place = _after(text, place)
    return found


def _item(text: str, place: int, number: int) -> int | None:
    place = _skip(text, place)
    for _ in range(number):
        if text[place] == "]":
            return None
        place = _skip(text, _after(text, place))
    return None if text[place] == "]" else place


def _after(text: str, place: int) -> int:
    """Past one value and the comma behind it."""
    place = _skip(text, _decoder.raw_decode(text, place)[1])
    return place + 1 if text[place] == "," else place


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANKS:
        place += 1
    return place


def columns(text: str) -> int:
    """How wide a terminal shows it: Chinese characters take two columns, combining marks none."""
    return sum(map(_column_count, text))


def _column_count(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, columns: int) -> str:
    used = 0
    for place, character in enumerate(text):
        used += _column_count(character)
        if used > columns:
            return text[:place]
    return text
