"""Result lines of a container with opaque ids turned back into real ones. Strict: what cannot be read exactly is kept
byte for byte, so that the validation that follows reports it; nothing is repaired on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from harness.challenge.reading import ReadLimits

# A shorter id may stand in a line by chance.
_SHORTEST_TELLING = 8


@dataclass(slots=True)
class MappedLines:
    """Lines of ``stream`` with ids replaced by ``ids`` (opaque to real). Read :meth:`lines` once, then the counts.

    ``unknown`` lines (an id that was never staged) are dropped; ``unreadable`` ones are passed through. ``telling``
    lines hold a real id before any was put back: the container was never shown one.
    """

    stream: IO[bytes]
    ids: Mapping[str, str]
    limits: ReadLimits
    unknown: int = 0
    unreadable: int = 0
    telling: int = 0
    _real_ids: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        self._real_ids = tuple(real.encode() for real in self.ids.values() if len(real) >= _SHORTEST_TELLING)

    def lines(self) -> Iterator[bytes]:
        """At most one line more than the limit, so that the validation sees that there were too many."""
        for _ in range(self.limits.lines + 1):
            line = self.stream.readline(self.limits.line_bytes + 1)
            if not line:
                return
            if len(line) > self.limits.line_bytes:
                self.unreadable += 1
                yield line
                yield from self._rest_of_line()
                continue
            yield from self._mapped(line)

    def _rest_of_line(self) -> Iterator[bytes]:
        while part := self.stream.readline(self.limits.line_bytes):
            yield part
            if part.endswith(b"\n"):
                return

    def _mapped(self, line: bytes) -> Iterator[bytes]:
        row = _strict(line)
        self.telling += any(real in line for real in self._real_ids)
        opaque = row.get("dialogue_id") if isinstance(row, dict) else None
        if not isinstance(opaque, str):
            self.unreadable += 1
            yield line
        elif opaque not in self.ids:
            self.unknown += 1
        else:
            again = _replaced(row, opaque, self.ids[opaque])
            if again is None:
                self.unreadable += 1
            yield again or line


def _replaced(row: dict[str, Any], opaque: str, real: str) -> bytes | None:
    row["dialogue_id"] = real
    turns = row.get("turns")
    for turn in turns if isinstance(turns, list) else []:
        if isinstance(turn, dict) and isinstance(turn.get("response_audio"), str):
            turn["response_audio"] = turn["response_audio"].replace(opaque, real)
    try:
        return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except (ValueError, RecursionError):  # a lone surrogate, an infinite number: not to be written as if it were fine
        return None


def _strict(line: bytes) -> Any:
    """The value of one line, or None when there is any doubt what it is."""
    try:
        return json.loads(line.decode(), object_pairs_hook=_no_twins, parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if digits == "-0":  # would be written back as 0, which the validation would not object to
        raise ValueError("-0")
    return int(digits)
