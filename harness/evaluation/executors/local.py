"""Workers on this machine: a bounded number of processes. One that breaks takes its own task with it, nothing else.

Not concurrent.futures: there a killed worker breaks the pool, which ends all other tasks too, and may never say so.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from harness.evaluation.tasks import Failure, Result, Setting, Task
from harness.evaluation.worker import Stopped, begin, execute

# A worker that is told to stop waits for the engine to remove its container.
_STOP_S = 60.0
_LOST = Failure("I_WORKER", "a worker process ended in the middle of its task", "it is done again", True)


class LocalExecutor:
    """Up to ``workers`` processes, each started when there is a task for it."""

    shares_this_machine = True

    def __init__(self, setting: Setting, workers: int) -> None:
        self._setting, self._most = setting, workers
        self._context: BaseContext = multiprocessing.get_context("spawn")
        self._waiting: deque[tuple[int, Task]] = deque()
        self._workers: list[_Worker] = []

    def submit(self, number: int, task: Task) -> None:
        self._waiting.append((number, task))
        self._assign()

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        busy = {worker.pipe: worker for worker in self._workers if worker.number is not None}
        found: list[tuple[int, Result]] = []
        for pipe in wait(list(busy), timeout_s):
            worker = busy[pipe]  # type: ignore[index]
            number, result = worker.answer()
            found.append((number, result))
            if not worker.alive:
                self._workers.remove(worker)
        self._assign()
        return found

    def close(self, *, stop: bool) -> None:
        """``stop``: SIGTERM to the workers, which stop their containers."""
        self._waiting.clear()
        for worker in self._workers:
            worker.end(stop=stop)
        until = time.monotonic() + _STOP_S
        try:
            for worker in self._workers:
                worker.join(max(0.0, until - time.monotonic()))
        except BaseException:  # a second Ctrl-C: nobody waits any longer; the next run removes what theirs left
            for worker in self._workers:
                worker.kill()
            raise
        finally:
            self._workers.clear()

    def _assign(self) -> None:
        idle = [worker for worker in self._workers if worker.number is None]
        while self._waiting and (idle or len(self._workers) < self._most):
            if not idle:
                idle.append(_Worker(self._context, self._setting))
                self._workers += idle
            worker = idle.pop()
            if worker.give(*self._waiting[0]):
                self._waiting.popleft()
            else:  # it ended while it had nothing to do
                self._workers.remove(worker)
                worker.join(0.0)


class _Worker:
    """One process and the pipe to it. ``number`` is that of the task it does, None when it waits for one."""

    def __init__(self, context: BaseContext, setting: Setting) -> None:
        self.pipe, theirs = context.Pipe()
        self.number: int | None = None
        self.alive = True
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, setting, os.getpid()), daemon=False)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()  # theirs alone: then the pipe ends with the process, however that ends

    def give(self, number: int, task: Task) -> bool:
        """Hand over a task; False when the process is no more."""
        try:
            self.pipe.send(task)
        except OSError:
            return False
        self.number = number
        return True

    def answer(self) -> tuple[int, Result]:
        """What came back, a Failure when the process ended instead."""
        assert self.number is not None
        number, self.number = self.number, None
        try:
            return number, self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            self.join(_STOP_S)
            return number, _LOST

    def end(self, *, stop: bool) -> None:
        if stop:
            self._process.terminate()
            return
        with suppress(OSError):
            self.pipe.send(None)

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout_s: float) -> None:
        with suppress(OSError):
            self.pipe.close()
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(pipe: Connection, setting: Setting, parent: int) -> None:
    """A worker's life: tasks until there are no more."""
    begin(parent)
    with suppress(EOFError, OSError, Stopped):
        while (task := pipe.recv()) is not None:
            pipe.send(execute(task, setting))
