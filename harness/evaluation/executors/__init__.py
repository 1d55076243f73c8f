"""Where tasks are done: in workers on this machine, or on the nodes of a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.evaluation.tasks import Result, Task


class Executor(Protocol):
    """Takes tasks, gives results, in whatever order they come. A task whose worker is lost comes back as a Failure.
    ``shares_this_machine``: all of them are done here, so that the campaign keeps an image apart whose delays are
    measured; else the executor gives it a node."""

    shares_this_machine: bool

    def submit(self, number: int, task: Task) -> None:
        """Begin ``task``; its result comes back with ``number``."""

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        """What has ended; waits up to ``timeout_s`` for the first."""

    def close(self, *, stop: bool) -> None:
        """End the workers. ``stop`` ends what they are doing, containers included."""
