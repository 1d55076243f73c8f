"""Waking up when a container's first process ends, instead of at the next look at it.

Only a hint: whether the container has ended, and how, is the engine's word alone. So a process that is another one
(an engine on another machine has numbers of its own) costs at most one look too many.
"""

from __future__ import annotations

import os
import select
import time


class Ending:
    """Waits for an end. ``watch`` names the process once it is known; without one, waiting is sleeping."""

    def __init__(self) -> None:
        self._process = -1
        self._watched = False

    def watch(self, pid: int) -> None:
        """``pid`` is the process; 0 for none. What cannot be watched is not: no such process, an older kernel."""
        if self._watched or pid <= 0:
            return
        self._watched = True
        try:
            self._process = os.pidfd_open(pid)
        except OSError:
            self._process = -1

    def wait(self, seconds: float) -> bool:
        """Wait so long, or less: True when the process ended meanwhile. It is said once."""
        if self._process < 0:
            time.sleep(seconds)
            return False
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        self.close()
        return True

    def close(self) -> None:
        """Watch no longer."""
        if self._process >= 0:
            os.close(self._process)
            self._process = -1
