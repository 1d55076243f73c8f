"""Reads archives and audio of strangers, as a program of its own with limits: whatever such a file makes of this
process, the one that asked goes on.

The first line on standard input is the order, one JSON object: {"do": "unpack", "head", "check" or "rewrite",
limits, …}.
Started with the argument "audio" it gets ready for audio before it reads that line. `unpack` answers with one line. The
others take a line a file, work with two threads, and answer a line a file, in any order. Nothing but these lines
leaves, and the asker checks each of them.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # run by its path: the package that it lies in

from harness.challenge.reading import AudioRules, ReadLimits
from harness.errors import HarnessError
from harness.submission.readers.refusal import Refusal
from harness.system import READ, limit, more_time, read_at

if TYPE_CHECKING:
    from harness.submission.readers.wav import WavFormat

_HEAD = 1 << 16
Answer = list[object]


def refusal_line(refusal: Refusal) -> list[object]:
    return [refusal.code, refusal.file, refusal.values]


def main(stdin: BinaryIO, out: int) -> None:
    """Obey the order on ``stdin``; end quietly when there is none."""
    line = stdin.readline()
    if not line:
        return
    order = json.loads(line)
    limits = ReadLimits(**order["limits"])
    if order["do"] == "unpack":
        _write(out, _unpack(order, limits))
        return
    work = _WORKS[order["do"]](order, limits)
    limit(limits.child_memory_bytes, limits.child_cpu_s, limits.child_nofile, order["file_bytes"])
    _serve(stdin, out, work, limits)


def _write(out: int, answer: object) -> None:
    data = memoryview(json.dumps(answer, allow_nan=False).encode() + b"\n")
    while data:
        data = data[os.write(out, data) :]


# ------------------------------------------------------------------------------------------ archives


def _unpack(order: dict[str, Any], limits: ReadLimits) -> dict[str, object]:
    from harness.submission.readers.archive import unpack

    cpu_s = limits.child_cpu_s + (order["bytes"] >> 22)  # a processor inflates far more than 4 MiB a second
    limit(limits.child_memory_bytes, cpu_s, limits.child_nofile, limits.inflated_bytes)
    try:
        return {"junk": unpack(_archive(order), order["name"], Path(order["target"]), limits)}
    except Refusal as refusal:
        return {"refused": refusal_line(refusal)}
    except HarnessError as error:
        return {"machine": [str(error), error.code, error.hint]}
    except MemoryError:
        return {"refused": ["E_READ_LIMIT", None, {"what": _memory(limits)}]}


def _archive(order: dict[str, Any]) -> int:
    """The open archive. Raises Refusal (E_CHANGED) when another one lies in its place where it must be opened anew."""
    from harness.submission.readers.tree import stamp

    if order["descriptor"] is not None:
        return int(order["descriptor"])
    try:
        descriptor = os.open(order["path"], READ)
    except OSError as error:
        raise Refusal("E_CHANGED", name="the archive") from error
    if list(stamp(os.fstat(descriptor))) != order["stamp"]:
        raise Refusal("E_CHANGED", name="the archive")
    return descriptor


def _memory(limits: ReadLimits) -> str:
    return f"more than {limits.child_memory_bytes >> 20} MiB of memory"


# ------------------------------------------------------------------------------------------ audio

Work = Callable[[list[Any], bytearray], Answer]


def _answered(work: Work, request: list[Any], buffer: bytearray, limits: ReadLimits) -> Answer:
    """Every file gets an answer, whatever reading it raises."""
    try:
        return work(request, buffer)
    except Refusal as refusal:
        problem = refusal
    except HarnessError as error:
        problem = Refusal("I_DISK", what=str(error))
    except MemoryError:
        problem = Refusal("E_READ_LIMIT", what=_memory(limits))
    except Exception as error:  # noqa: BLE001 - a reader that stumbles over one file goes on with the next
        problem = Refusal("E_READ_CRASH", what=type(error).__name__)
    return [request[0], None, None, [refusal_line(problem)]]


def _serve(stdin: BinaryIO, out: int, work: Work, limits: ReadLimits) -> None:
    waiting: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
    lock = threading.Lock()

    def serve() -> None:
        buffer = bytearray()
        while (request := waiting.get()) is not None:
            more_time(limits.child_cpu_s)
            answer = _answered(work, request, buffer, limits)
            with lock:
                _write(out, answer)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(_threads())]
    for thread in threads:
        thread.start()
    for line in stdin:
        waiting.put(json.loads(line))
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()


def _threads() -> int:
    return min(2, os.cpu_count() or 1)


def prepare_audio() -> None:
    """Import what takes long, before there is anything to do and before memory is limited."""
    import hashlib  # noqa: F401

    import numpy as np  # noqa: F401

    import harness.submission.readers.rewriting
    import harness.submission.readers.tree  # noqa: F401


def _header_reader(order: dict[str, Any], limits: ReadLimits) -> Work:
    """Work for lines [number, path, bytes, stamp]: answers [number, null, facts, problems] from the header alone."""
    from harness.submission.readers.file_view import FileView
    from harness.submission.readers.tree import Entry, Tree
    from harness.submission.readers.wav import parse_wav

    rules, root = AudioRules(**order["rules"]), Path(order["root"])

    def head(request: list[Any], _: bytearray) -> Answer:
        number, path, bytes_, stamp = request
        with Tree(root, {path: Entry(path, bytes_, tuple(stamp))}).open(path) as descriptor:
            format_, found = parse_wav(FileView(descriptor, bytes_), rules, limits)
        return [number, None, _facts(format_), [refusal_line(problem) for problem in found]]

    return head


def _checker(order: dict[str, Any], limits: ReadLimits) -> Work:
    """Work for lines [number, path, bytes, stamp]: answers [number, sha256, facts, problems]; a header that could
    be read has facts, also when the samples behind it are refused."""
    import hashlib

    from harness.submission.readers.pcm import level_problems
    from harness.submission.readers.tree import Entry, Tree
    from harness.submission.readers.wav import oversize_problems, parse_wav

    rules, root = AudioRules(**order["rules"]), Path(order["root"])

    def check(request: list[Any], buffer: bytearray) -> Answer:
        number, path, bytes_, stamp = request
        tree = Tree(root, {path: Entry(path, bytes_, tuple(stamp))})
        if bytes_ > rules.max_bytes:
            with tree.open(path) as descriptor:
                problems = oversize_problems(read_at(descriptor, _HEAD, 0), bytes_, rules, limits)
            return [number, None, None, [refusal_line(problem) for problem in problems]]
        with tree.read_into(path, buffer) as data:
            sha256 = hashlib.sha256(data).hexdigest()
            format_, found = parse_wav(data, rules, limits)
            if format_ is not None:
                found += level_problems(data, format_, rules)
        return [number, sha256, _facts(format_), [refusal_line(problem) for problem in found]]

    return check


def _facts(format_: WavFormat | None) -> list[float] | None:
    return None if format_ is None else [round(format_.duration_s, 6), format_.rate_hz]


def _rewriter(order: dict[str, Any], limits: ReadLimits) -> Work:
    """Work for lines [number, source, target or null, rate, sha256 of the source or null]: writes the canonical copy
    and answers [number, its sha256, null, []], or [number, null, null, problems]."""
    from harness.submission.readers.rewriting import rewrite

    rules, accepted = AudioRules(**order["rules"]), frozenset(order["accepted"])

    def work(request: list[Any], _: bytearray) -> Answer:
        number, source, target, rate_hz, sha256 = request
        place = None if target is None else Path(target)
        facts = {"rate_hz": rate_hz, "sha256": sha256, "accepted": accepted}
        return [number, rewrite(Path(source), place, rules, limits, **facts), None, []]

    return work


_WORKS = {"head": _header_reader, "check": _checker, "rewrite": _rewriter}

if __name__ == "__main__":
    if sys.argv[1:] == ["audio"]:
        prepare_audio()
    main(sys.stdin.buffer, sys.stdout.fileno())
