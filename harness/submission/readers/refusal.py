"""How a reader says no, and how it quotes what it refuses."""

from __future__ import annotations

_QUOTED = 80


class Refusal(Exception):
    """A reader refuses. ``code`` is in the closed list, ``values`` fill its message and hint.

    ``file`` is the offending path when it is not the one being read, ``column`` counts characters from 1.
    """

    def __init__(self, code: str, *, file: str | None = None, column: int | None = None, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.file = file
        self.column = column
        self.values = values


def printable(text: str) -> str:
    """``text`` with every character that could steer a terminal or hide from a reader as its escape."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def quoted(text: str, limit: int = _QUOTED) -> str:
    """``text`` in quotation marks, printable, at most ``limit`` characters and an ellipsis."""
    shown = printable(text[:limit])
    return f"'{shown}…'" if len(text) > limit else f"'{shown}'"


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{number - 0xDC00:02x}"
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
