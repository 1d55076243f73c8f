"""Evaluations in forked processes: what every process of Python's imports, compiles and reads of this package before it
begins is done once, so that hundreds of them can be broken in a minute.

A program. It reads an order a line from standard input and answers each with a line: {"arguments", "environment",
"said", "workers", "points"} begins `humdial evaluate` in a process of its own and is answered with its process id;
{"wait": id} with its exit code, negative for a signal; {"rehearse": arguments, "environment"} does one in this process
itself, so that the forked ones find it all ready, and is answered with 0. `workers` is "none" (tasks are done in the
process itself, one after the other: the operations are the same every time) or "processes" (real ones). `points` names
a file that gets the points of RunIO in the order in which they are passed, each with its path.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import io
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import harness.cli.evaluate
import harness.cli.watch
import harness.reporting.leaderboard  # noqa: F401
from harness.cli import main
from harness.evaluation import campaign, evaluate, run_io, worker
from harness.evaluation.executors import local
from harness.evaluation.tasks import Result, Setting, Task
from harness.evaluation.worker import execute

_PR_SET_PDEATHSIG = 1


class Here:
    """An executor that does each task when it is waited for."""

    shares_this_machine = True

    def __init__(self, setting: Setting, workers: int) -> None:
        self._setting = setting
        self._waiting: list[tuple[int, Task]] = []

    def submit(self, number: int, task: Task) -> None:
        self._waiting.append((number, task))

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        number, task = self._waiting.pop(0)
        return [(number, execute(task, self._setting))]

    def close(self, *, stop: bool) -> None:
        self._waiting.clear()


def _rehearse(order: dict[str, Any]) -> int:
    """An evaluation here. It leaves what depends on the package alone, nothing of the folders that it read."""
    before, executor = dict(os.environ), campaign.LocalExecutor
    os.environ.update(order["environment"])
    campaign.LocalExecutor = Here  # type: ignore[misc,assignment]
    said = io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main.cli.main(order["rehearse"], "humdial", standalone_mode=False)
    finally:
        campaign.LocalExecutor = executor  # type: ignore[misc]
        os.environ.clear()
        os.environ.update(before)
        worker._references.cache_clear()
        worker._pairs.cache_clear()
    gc.freeze()  # so that forked processes do not copy it all when they collect
    return 0


def _record(points: Path) -> run_io.Hook:
    def hook(point: str, path: Path) -> bool:
        with points.open("a", encoding="utf-8") as stream:
            stream.write(f"{point} {path}\n")
        return False

    return hook


def _end_with(parent: int) -> None:
    """At once, before the worker does so itself: one whose parent was killed meanwhile would hold its lock for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _child(order: dict[str, Any]) -> NoReturn:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (said, 1), (said, 2)):
        os.dup2(descriptor, target)
    os.environ.update(order["environment"])
    sys.argv = ["humdial", *order["arguments"]]
    if order["workers"] == "none":
        campaign.LocalExecutor = Here  # type: ignore[misc,assignment]
        evaluate._PAUSES_S = (0.05, 0.1)  # no engine is being restarted that would need a moment
    else:
        os.register_at_fork(after_in_child=functools.partial(_end_with, os.getpid()))
        forked = multiprocessing.get_context("fork")
        local.multiprocessing.get_context = lambda kind: forked  # type: ignore[assignment,attr-defined]
    if order["points"]:
        hook = _record(Path(order["points"]))
        campaign.hook_from_environment = lambda: hook
    code = 70
    try:
        main.run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve() -> None:
    """Answer orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        if "rehearse" in order:
            _answer(_rehearse(order))
            continue
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            _answer(os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if pid == 0:
            _child(order)
        _answer(pid)


if __name__ == "__main__":
    serve()
