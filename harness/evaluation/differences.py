"""Where two documents differ first, in words a person can follow to the place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.documents.verification import Difference

_SHOWN = 120
_NOTHING = object()


def document_differences(root: Path, name: str, expected: bytes, what: str) -> Iterator[Difference]:
    """At most one: where the file ``name`` below ``root`` is not ``expected``, which ``what`` makes."""
    path = root / name
    if path.is_symlink() or not path.is_file():
        yield Difference(name, f"{name} is missing; it comes from {what}")
        return
    stored = path.read_bytes()
    if stored != expected:
        yield first_difference(name, stored, expected, what)


def first_difference(name: str, stored: bytes, expected: bytes, what: str) -> Difference:
    """The place and both values, for JSON and JSONL by pointer, for other text by line."""
    said = f"{name} is not what comes from {what}"
    lines = zip_longest(stored.split(b"\n"), expected.split(b"\n"))
    number, (before, after) = next(
        ((number, pair) for number, pair in enumerate(lines, start=1) if pair[0] != pair[1]), (1, (stored, expected))
    )
    if name.endswith(".jsonl"):
        place, *values = _pointer(_json(before), _json(after)) or ("", _text(before), _text(after))
        return Difference(f"{name}:{number}{'#' + place if place else ''}", said, _shown(values[0]), _shown(values[1]))
    found = _pointer(_json(stored), _json(expected)) if name.endswith(".json") else None
    if found is not None:
        return Difference(f"{name}#{found[0]}", said, _shown(found[1]), _shown(found[2]))
    return Difference(f"{name}:{number}", said, _shown(_text(before)), _shown(_text(after)))


def _pointer(before: Any, after: Any, at: str = "") -> tuple[str, Any, Any] | None:
    """The first place where two JSON values differ, depth first in the order of ``before``; None when they do not."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            found = _pointer(before.get(key, _NOTHING), after.get(key, _NOTHING), f"{at}/{key}")
            if found:
                return found
        return None
    if isinstance(before, list) and isinstance(after, list):
        for index, pair in enumerate(zip_longest(before, after, fillvalue=_NOTHING)):
            found = _pointer(*pair, f"{at}/{index}")
            if found:
                return found
        return None
    return None if type(before) is type(after) and before == after else (at, before, after)


def _json(raw: bytes | None) -> Any:
    try:
        return _NOTHING if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return _text(raw)


def _text(raw: bytes | None) -> Any:
    return _NOTHING if raw is None else raw.decode("utf-8", "backslashreplace")


def _shown(value: Any) -> str | None:
    if value is _NOTHING:
        return None
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
