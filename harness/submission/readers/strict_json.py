"""One JSON value from bytes, refused rather than repaired.

The standard library's parser does the syntax; around it stand the checks it does not make: UTF-8 only, no byte order
mark, a bound on nesting before parsing, no key twice, finite numbers of ordinary size, no half characters.
"""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NoReturn

from harness.submission.readers.refusal import Refusal, quoted

_MAX_DIGITS = 64
_LONG = 1 << 14  # bytes
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|$)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BOM = b"\xef\xbb\xbf"


def parse_json(raw: bytes, depth: int) -> Any:
    """The value of one JSON document or line of at most ``depth`` nested arrays and objects.

    Raises Refusal: E_JSON_BOM, E_JSON_UTF8, E_JSON_DEPTH, E_JSON_NUM, E_JSON_DUP, E_JSON_SURROGATE, E_JSON_SYNTAX.
    """
    if raw.startswith(_BOM):
        raise Refusal("E_JSON_BOM", column=1)
    text = _decode(raw)
    _refuse_depth(raw, depth)
    try:
        with _without_collector() if len(raw) > _LONG else nullcontext():
            value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg if text.strip() else "it is blank"
        raise Refusal("E_JSON_SYNTAX", column=error.pos + 1, what=what) from error
    if b"\\u" in raw:
        _refuse_surrogates(value)
    return value


@contextmanager
def _without_collector() -> Iterator[None]:
    """What a parser makes has no cycles; to look for them while a line grows takes longer than the parsing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _decode(raw: bytes) -> str:
    zero = raw.find(b"\0")
    if zero >= 0:
        raise Refusal("E_JSON_UTF8", what="a NUL (is it UTF-16 or a binary file?)", byte=zero + 1)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal("E_JSON_UTF8", what=f"0x{raw[error.start]:02x}", byte=error.start + 1) from error


def _refuse_depth(raw: bytes, limit: int) -> None:
    """Refuse what is nested more than ``limit`` deep, in time that grows with the length only.

    Innermost pairs are taken away ``limit`` times; of JSON that is nested no deeper nothing is left. What is left of
    other text is looked at bracket by bracket: the parser then goes at most ``limit`` deeper than that.
    """
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return
    brackets = _STRING.sub(b"", raw).translate(None, _NO_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"()").replace(b"{}", b"()").replace(b"()", b"")  # one layer, not two
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            raise Refusal("E_JSON_DEPTH", limit=limit)
    if _balanced(brackets):
        raise Refusal("E_JSON_DEPTH", limit=limit)


def _balanced(brackets: bytes) -> bool:
    """Whether every bracket has its partner; of those that have, ``_refuse_depth`` leaves only what is too deep."""
    stack = bytearray()
    for bracket in brackets:
        if bracket in b"[{":
            stack.append(bracket + 2)
        elif not stack or stack.pop() != bracket:
            return False
    return bool(brackets) and not stack


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refusal("E_JSON_DUP", name=quoted(name))
    return found


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Refusal("E_JSON_NUM", what=quoted(digits))
    return value


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise Refusal("E_JSON_NUM", what=f"a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise Refusal("E_JSON_NUM", what=name)


def _refuse_surrogates(value: Any) -> None:
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            stack += part.keys()
            stack += part.values()
        elif isinstance(part, list):
            stack += part
        elif isinstance(part, str) and any("\ud800" <= character <= "\udfff" for character in part):
            raise Refusal("E_JSON_SURROGATE")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_float, parse_int=_int, parse_constant=_constant, strict=True
)
