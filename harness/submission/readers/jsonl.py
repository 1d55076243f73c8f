"""JSON lines from a listed file: split on LF only, every line on its own, caps before and while reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from harness.challenge.reading import ReadLimits
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.strict_json import parse_json
from harness.submission.readers.tree import Tree

_SEPARATORS = (b",", b"[", b"{")  # no more values than these
Line = tuple[int, Any, Refusal | None]  # number from 1, its value, or why there is none


def read_jsonl(tree: Tree, path: str, limits: ReadLimits, faults: Callable[[], int] = int) -> Iterator[Line]:
    """Each line's value, or the refusal of that line; the others still come.

    Yields a refusal with line 0 when reading stops before the end: E_JSON_SIZE, E_JSON_COUNT, E_JSON_EMPTY,
    E_CHANGED, E_LAYOUT_*. From line ``first`` of E_JSON_VALUES or E_JSON_FAULTS on they are only counted: the
    file holds more values than ``limits.values``, or ``faults`` tells of more than ``limits.faults`` up to there.
    """
    try:
        with tree.open(path) as descriptor, os.fdopen(os.dup(descriptor), "rb", buffering=1 << 17) as stream:
            yield from _lines(stream, tree.files[path].bytes, limits, faults)
    except Refusal as refusal:
        yield 0, None, refusal


def _lines(stream: BinaryIO, bytes_: int, limits: ReadLimits, faults: Callable[[], int]) -> Iterator[Line]:
    number = values = 0
    enough = False
    while line := stream.readline(limits.line_bytes + 1):
        number += 1
        if number > limits.lines:
            raise Refusal("E_JSON_COUNT", limit=limits.lines)
        if len(line.removesuffix(b"\n")) > limits.line_bytes:
            yield number, None, Refusal("E_JSON_LINE", limit=limits.line_bytes)
            if bytes_ > limits.jsonl_bytes:
                break
            _skip_line(stream, limits.line_bytes)
            continue
        if bytes_ > limits.jsonl_bytes and stream.tell() > limits.jsonl_bytes:
            break
        values += sum(map(line.count, _SEPARATORS))
        if enough:
            continue
        if faults() > limits.faults:
            enough = True
            yield 0, None, Refusal("E_JSON_FAULTS", limit=limits.faults, first=number)
            continue
        if values > limits.values:
            enough = True
            yield 0, None, Refusal("E_JSON_VALUES", limit=limits.values, first=number)
            continue
        try:
            yield number, parse_json(line.removesuffix(b"\n"), limits.depth), None
        except Refusal as refusal:
            yield number, None, refusal
    if bytes_ > limits.jsonl_bytes:
        raise Refusal("E_JSON_SIZE", bytes=bytes_, limit=limits.jsonl_bytes)
    if not number:
        raise Refusal("E_JSON_EMPTY")


def _skip_line(stream: BinaryIO, step: int) -> None:
    while (line := stream.readline(step)) and not line.endswith(b"\n"):
        pass
