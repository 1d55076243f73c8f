"""Opens files below a folder that somebody hostile has filled: no link is followed, nothing outside is reached."""

from __future__ import annotations

import ctypes
import errno
import os
import stat

_SYS_OPENAT2 = 437  # the same number on every architecture
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
# O_NONBLOCK: opening a pipe that nobody writes to must not wait.
_FILE_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_FOLDER_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_root(folder: str | os.PathLike[str]) -> int:
    """A descriptor of a folder that we made ourselves. Raises OSError."""
    return os.open(folder, _FOLDER_FLAGS)


def open_beneath(root: int, relative: str, *, folder: bool = False) -> int:
    """Open ``relative`` below the folder descriptor ``root`` for reading.

    Raises OSError: ELOOP or ENOTDIR for a link on the way, EXDEV for another file system or a path that leaves the
    folder, ENOENT when there is nothing.
    """
    flags = _FOLDER_FLAGS if folder else _FILE_FLAGS
    how = _OpenHow(flags, 0, _RESOLVE)
    libc = ctypes.CDLL(None, use_errno=True)
    opened = libc.syscall(_SYS_OPENAT2, root, os.fsencode(relative), ctypes.byref(how), ctypes.sizeof(how))
    if opened >= 0:
        return int(opened)
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EPERM):  # an old kernel, or a filter around us that does not know the call
        return open_by_walking(root, relative, flags)
    raise OSError(code, os.strerror(code), relative)


def open_by_walking(root: int, relative: str, flags: int = _FILE_FLAGS) -> int:
    """The same promise without openat2: one component at a time, no links, one file system."""
    device = os.fstat(root).st_dev
    parts = relative.split("/")
    if relative.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
    current = os.dup(root)
    try:
        for part in parts[:-1]:
            following = os.open(part, _FOLDER_FLAGS, dir_fd=current)
            os.close(current)
            current = following
        opened = os.open(parts[-1], flags, dir_fd=current)
    finally:
        os.close(current)
    if os.fstat(opened).st_dev != device:
        os.close(opened)
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
    return opened


def kind_of(mode: int) -> str:
    """A file's type in words that fit into a message."""
    for test, words in (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return words
    return "something unknown"
