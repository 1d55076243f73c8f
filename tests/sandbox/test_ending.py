"""A container's end is noticed when it comes, not at the next look."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing

from harness.sandbox.ending import Ending


def test_the_end_of_a_process_ends_the_waiting() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with closing(Ending()) as ending:
        ending.watch(process.pid)
        assert ending.wait(0.001) is False  # it runs
        process.communicate(b"\n")
        begun = time.monotonic()
        assert ending.wait(600) is True
        assert time.monotonic() - begun < 300
        assert ending.wait(0.001) is False  # said once


def test_what_cannot_be_watched_is_slept_through() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid in (0, gone.pid):
        with closing(Ending()) as ending:
            ending.watch(pid)
            begun = time.monotonic()
            assert ending.wait(0.01) is False
            assert time.monotonic() - begun >= 0.01
