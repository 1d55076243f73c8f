"""Every write to a run directory goes through here: one place to make crash-safe, and one place to break on purpose.

A file appears under its name whole or not at all: written beside, flushed to the disk, renamed, and the folder flushed
too. An error of the disk is never tried again on the same descriptor: what reached the disk after one is unknown.

`HD_FAULT="point:n:action"` breaks the n-th operation at a point ("*" is any): POINTS name where, ACTIONS what. It is
for tests, and does nothing but stop a run that can be resumed.
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from harness.errors import MachineError, UsageError

POINTS = ("mkdir", "open", "write", "fsync", "rename", "fsync_folder", "unlink", "truncate")
ACTIONS = ("kill9", "ENOSPC", "EIO", "short-write", "hang")
FAULT = "HD_FAULT"
_HINTS = {
    errno.ENOSPC: "free space, then run the same command again: it goes on from here",
    errno.ENOENT: "was the run directory moved? run the same command with --out where it is now: it goes on from here",
    errno.EIO: "look after the disk, then run the same command again: it goes on from here",
}
SCRATCH = ".tmp"
# Asked before every operation, and once more in the middle of a write for which it has said True: half of it is done
# then. It breaks the operation by raising.
Hook = Callable[[str, Path], bool]
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Killed(BaseException):
    """Stands for a killed process where a test plays one: nothing may catch it and carry on."""


def no_fault(point: str, path: Path) -> bool:
    """The hook that breaks nothing."""
    return False


class Fault:
    """Breaks the ``number``-th operation at ``point``. ``kill`` ends the process, or plays that it ended."""

    def __init__(self, point: str, number: int, action: str, kill: Callable[[], None] | None = None) -> None:
        self._point, self._number, self._action = point, number, action
        self._kill = kill or _kill_this_process
        self._seen = 0
        self._half_written = False
        self.fired = False

    def __call__(self, point: str, path: Path) -> bool:
        if self._half_written:
            self._kill()
        if self._point not in ("*", point):
            return False
        self._seen += 1
        if self._seen != self._number:
            return False
        self.fired = True
        if self._action == "short-write" and point == "write":
            self._half_written = True
            return True
        if self._action in ("kill9", "short-write"):
            self._kill()
        if self._action == "hang":
            time.sleep(1 << 20)
        number = errno.ENOSPC if self._action == "ENOSPC" else errno.EIO
        raise OSError(number, os.strerror(number), str(path))


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hook_from_environment() -> Hook:
    """What HD_FAULT asks for; nothing when it is not set. Raises UsageError when it cannot be read."""
    asked = os.environ.get(FAULT)
    if not asked:
        return no_fault
    point, _, rest = asked.partition(":")
    number, _, action = rest.partition(":")
    if point not in (*POINTS, "*") or not number.isdigit() or action not in ACTIONS:
        raise UsageError(
            f"{FAULT}={asked} is no fault", code="E_USAGE", hint=f"unset it; a fault is {POINTS}:number:{ACTIONS}"
        )
    return Fault(point, int(number), action)


class RunIO:
    """The operations that a run directory needs. All raise MachineError (I_DISK) when the disk refuses."""

    def __init__(self, root: Path, hook: Hook = no_fault) -> None:
        self._root, self._hook = root, hook
        self._names = itertools.count()

    def mkdir(self, folder: Path) -> None:
        """Make ``folder`` and its parents, so that they stay after a crash."""
        if folder.is_dir():
            return
        self.mkdir(folder.parent)
        with _translated(folder):
            self._hook("mkdir", folder)
            folder.mkdir(exist_ok=True)
        self._fsync_folder(folder.parent)

    def write(self, path: Path, data: bytes) -> None:
        """All of ``data`` at ``path``, or what was there before. A link at ``path`` is replaced, never followed."""
        self.mkdir(path.parent)
        self.mkdir(self._root / SCRATCH)
        beside = self._root / SCRATCH / f"{os.getpid()}-{next(self._names)}"
        with _translated(path):
            self._hook("open", path)
            descriptor = os.open(beside, _NEW, 0o644)
            try:
                self._write_all(descriptor, path, data)
                self._hook("fsync", path)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._hook("rename", path)
            beside.rename(path)
        self._fsync_folder(path.parent)

    def move(self, source: Path, target: Path) -> None:
        """Rename a file or folder inside the run directory; ``target`` must not be there."""
        self.mkdir(target.parent)
        with _translated(target):
            self._hook("rename", target)
            source.rename(target)
        self._fsync_folder(target.parent)
        if source.parent != target.parent:
            self._fsync_folder(source.parent)

    def flush(self, folder: Path) -> None:
        """What others wrote below ``folder`` stays after a crash."""
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                self._fsync_folder(path)
                continue
            with _translated(path):
                self._hook("fsync", path)
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self._fsync_folder(folder)

    def open_append(self, path: Path) -> int:
        """A descriptor to append to ``path``, made when missing."""
        self.mkdir(path.parent)
        with _translated(path):
            self._hook("open", path)
            descriptor = os.open(path, _APPEND, 0o644)
        self._fsync_folder(path.parent)
        return descriptor

    def append(self, descriptor: int, path: Path, data: bytes, *, flush: bool = True) -> None:
        """Append and flush: when this returns, ``data`` survives a crash. Without ``flush`` it need not."""
        with _translated(path):
            self._write_all(descriptor, path, data)
            if flush:
                self._hook("fsync", path)
                os.fsync(descriptor)

    def truncate(self, path: Path, length: int) -> None:
        with _translated(path):
            self._hook("truncate", path)
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.ftruncate(descriptor, length)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def unlink(self, path: Path) -> None:
        with _translated(path):
            self._hook("unlink", path)
            path.unlink(missing_ok=True)

    def _write_all(self, descriptor: int, path: Path, data: bytes) -> None:
        half = self._hook("write", path)
        view = memoryview(data[: len(data) // 2] if half else data)
        while view:
            view = view[os.write(descriptor, view) :]
        if half:
            self._hook("write", path)

    def _fsync_folder(self, folder: Path) -> None:
        with _translated(folder):
            self._hook("fsync_folder", folder)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class _translated:
    """OSError at the border becomes ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise MachineError(
                f"{self._path.name} could not be written in the run directory: {os.strerror(error.errno or 0)}",
                code="I_DISK",
                hint=_HINTS.get(error.errno or 0, _HINTS[errno.ENOSPC]),
                detail=str(error),
            ) from error
