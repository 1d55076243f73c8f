"""Makes this Python as poor as one on Windows, before anything is imported: no descriptors of folders, no flags against
links, no `pread`, no `fork`, no limits, fewer signals. Names that are gone raise as they do there.

What it cannot imitate: paths with backslashes and drive letters, files that cannot be removed while they are open,
junctions, and a console that is no byte stream.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import Any

for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # type: ignore[assignment] # `import` of it then raises ImportError

_GONE = (
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_DIRECTORY",
    "O_CLOEXEC",
    "pread",
    "preadv",
    "fchmod",
    "fork",
    "getuid",
    "geteuid",
)
for name in _GONE:
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGXCPU", "SIGALRM"):
    delattr(signal, name)
os.supports_dir_fd.clear()
os.supports_fd.clear()
os.supports_follow_symlinks.clear()

_open, _stat, _scandir, _popen = os.open, os.stat, os.scandir, subprocess.Popen.__init__


def _no_folder(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if stat.S_ISDIR(_stat(path).st_mode if os.path.exists(path) else 0):  # noqa: PTH110
        raise PermissionError(13, "Permission denied", str(path))
    return _open(path, flags, mode)


def _no_dir_fd(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    return _stat(path, follow_symlinks=follow_symlinks)


def _no_descriptor(path: Any = ".") -> Any:
    if isinstance(path, int):
        raise TypeError("scandir: path should be string, bytes, os.PathLike or None, not int")
    return _scandir(path)


def _nothing_passed(self: Any, *arguments: Any, **options: Any) -> None:
    if options.get("pass_fds"):
        raise ValueError("pass_fds not supported on Windows.")
    _popen(self, *arguments, **options)


os.open, os.stat, os.scandir = _no_folder, _no_dir_fd, _no_descriptor  # type: ignore[assignment]
subprocess.Popen.__init__ = _nothing_passed  # type: ignore[method-assign]
subprocess.Popen.kill = lambda self: self.send_signal(9)  # type: ignore[method-assign]
