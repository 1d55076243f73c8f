"""What the readers of files ask of the system, also where it has less: Windows has no `pread`, no directory descriptors
and no flag that refuses links; macOS has all but some limits.

Where something is missing the reader's own checks stand alone: a path is looked at before and after it is opened.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from pathlib import Path

NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
READ = os.O_RDONLY | NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
WRITE = os.O_WRONLY | os.O_CREAT | NOFOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
FOLDER = os.O_RDONLY | NOFOLLOW | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
# Whether a folder can be opened, listed and looked into by its descriptor, so that nobody swaps it meanwhile.
FOLDERS_BY_DESCRIPTOR = {os.open, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
# Whether a child can be given an open file by its number.
PASSES_DESCRIPTORS = hasattr(os, "fork")
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT
_SEEKING = threading.Lock()
_CPU_HARD_S = 24 * 3600
_MAPPED_BYTES = 1 << 30  # libraries, and what threads reserve without using it


def read_at(descriptor: int, bytes_: int, at: int) -> bytes:
    """At most ``bytes_`` from the place ``at``."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, bytes_, at)
    with _SEEKING:
        os.lseek(descriptor, at, os.SEEK_SET)
        return os.read(descriptor, bytes_)


def read_into(descriptor: int, view: memoryview) -> int:
    """The file's beginning, into ``view``; returns how much there was."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], 0)
    got = 0
    while got < len(view):
        part = read_at(descriptor, len(view) - got, got)
        if not part:
            break
        view[got : got + len(part)] = part
        got += len(part)
    return got


def path_text(path: Path) -> str:
    """A path with forward slashes and as UTF-8, whatever the locale says, so that every machine reports the same."""
    return os.fsencode(path.as_posix()).decode("utf-8", "surrogateescape")


def is_link(info: os.stat_result) -> bool:
    """Whether an entry of a folder leads elsewhere in a way that its mode does not say: a junction of Windows."""
    return getattr(info, "st_reparse_tag", 0) == _JUNCTION


def signals(*names: str) -> tuple[int, ...]:
    """The numbers of those signals that the system has."""
    return tuple(int(getattr(signal, name)) for name in names if hasattr(signal, name))


def replace_file(path: Path, data: bytes) -> None:
    """Write all of ``data`` to ``path`` or nothing, where neither a folder nor a mode can be synced by a descriptor.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def limit(memory_bytes: int, cpu_s: int, open_files: int, file_bytes: int) -> None:
    """Take limits upon this process: those that the system has. Windows has none of them, macOS not that of memory;
    there the caps of the readers stand alone."""
    try:
        import resource
    except ImportError:
        return
    for name, value in {
        "RLIMIT_DATA": memory_bytes,
        "RLIMIT_AS": memory_bytes + _MAPPED_BYTES,
        "RLIMIT_NOFILE": open_files,
        "RLIMIT_FSIZE": file_bytes,
        "RLIMIT_CORE": 0,
    }.items():
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, value))
    more_time(cpu_s)


def more_time(cpu_s: int) -> None:
    """Allow ``cpu_s`` seconds of processor time from now on: a busy machine costs nobody anything."""
    try:
        import resource
        import time

        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + cpu_s, _CPU_HARD_S))
    except (ImportError, OSError, ValueError):
        return
