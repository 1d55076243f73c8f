"""Workers on this machine: a bounded pool of processes. A worker that breaks takes its task with it, nothing else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from harness.evaluation.tasks import Failure, Result, Setting, Task
from harness.evaluation.worker import begin, execute


class LocalExecutor:
    """``workers`` processes."""

    def __init__(self, setting: Setting, workers: int) -> None:
        self._setting, self._workers = setting, workers
        self._pool = self._started()
        self._running: dict[Future[Result], int] = {}

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, multiprocessing.get_context("spawn"), initializer=begin)

    def submit(self, number: int, task: Task) -> None:
        self._running[self._pool.submit(execute, task, self._setting)] = number

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        done, _ = wait(self._running, timeout=timeout_s, return_when=FIRST_COMPLETED)
        found: list[tuple[int, Result]] = []
        for future in done:
            number = self._running.pop(future)
            try:
                found.append((number, future.result()))
            except BrokenProcessPool:
                # All that ran has ended with it; the tasks begin again with a new pool.
                found.append((number, _lost()))
                found += [(other, _lost()) for other in self._running.values()]
                self._running.clear()
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = self._started()
                break
        return found

    def close(self, *, stop: bool) -> None:
        """``stop``: SIGTERM to the workers, which stop their containers."""
        if stop:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _lost() -> Failure:
    return Failure("I_WORKER", "a worker process ended in the middle of its task", "it is done again", True)
