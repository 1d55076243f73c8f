"""Loaded by every Python that an attack starts: writes down each socket and each path that is opened.

The runner puts this folder on PYTHONPATH and names the log in ATTACK_AUDIT: a named pipe, to which a child that may
not write any file can still report.
"""

from __future__ import annotations

import os
import sys

_WANTED = ("open", "socket.", "os.exec", "os.posix_spawn", "os.system", "ctypes.dlopen")


def _watch(log: int) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_WANTED):
            what = arguments[0] if event == "open" and arguments else ""
            os.write(log, f"{event} {what!r}\n".encode(errors="backslashreplace"))

    sys.addaudithook(hook)


if name := os.environ.get("ATTACK_AUDIT"):
    _watch(os.open(name, os.O_WRONLY | os.O_CLOEXEC))
