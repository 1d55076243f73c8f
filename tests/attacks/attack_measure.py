"""Runs a command and writes what it cost: `python -I -S attack_measure.py RESULT WALL_S COMMAND…`.

A process of its own, because Linux counts the memory of whoever starts a command into that command's peak: here that
is this small one, not pytest.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main(result: str, wall_s: str, *command: str) -> None:
    started = time.monotonic()
    child = os.posix_spawn(command[0], list(command), os.environ, setpgroup=0)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(int(wall_s))
    _, status, usage = os.wait4(child, 0)
    cost = {
        "exit": os.waitstatus_to_exitcode(status),
        "wall_s": time.monotonic() - started,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    with open(result, "w", encoding="utf-8") as out:  # noqa: PTH123 - pathlib costs more than all the rest here
        json.dump(cost, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
