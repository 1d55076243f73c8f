"""Runs a command and writes what it cost: `python -I -S attack_measure.py RESULT WALL_S COMMAND…`.

A process of its own, because Linux counts the memory of whoever starts a command into that command's peak: here that
is this small one, not pytest.

Processor seconds are those of a machine that does PIECE_S worth of a fixed piece of work in PIECE_S: a slower or
shared machine, which takes longer over both, is no finding.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

PIECE_S = 0.13
_DEAR_S = 3.0


def pace() -> float:
    """How many times longer than PIECE_S the piece takes here and now, at least 1."""
    started = time.process_time()
    json.loads("[" + "[0.5, {}], " * 150_000 + "0]")
    for _ in range(1_000_000):
        pass
    return max(1.0, (time.process_time() - started) / PIECE_S)


def main(result: str, wall_s: str, *command: str) -> None:
    started = time.monotonic()
    child = os.posix_spawn(command[0], list(command), os.environ, setpgroup=0)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(int(wall_s))
    _, status, usage = os.wait4(child, 0)
    wall_s, cpu_s = time.monotonic() - started, usage.ru_utime + usage.ru_stime
    cost = {
        "exit": os.waitstatus_to_exitcode(status),
        "wall_s": wall_s,
        "cpu_s": cpu_s / max(pace() for _ in range(5)) if cpu_s > _DEAR_S else cpu_s,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    with open(result, "w", encoding="utf-8") as out:  # noqa: PTH123 - pathlib costs more than all the rest here
        json.dump(cost, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
