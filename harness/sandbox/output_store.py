"""Where a container writes its results: a place with a hard cap that outlives the container.

With root it is a tmpfs of its own, capped in bytes and in files by the kernel. Without root (a participant at home) it
is a plain folder that is watched while the container runs, and the record says so.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import MachineError
from harness.sandbox.profile import USER_ID

STORE_SOURCE = "humdial-output"  # how the list of mounts names a store
Mode = Literal["capped", "watched"]
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8


@dataclass(frozen=True, slots=True)
class OutputStore:
    """An empty folder for one container. ``user_id`` is whom the container must run as to write there."""

    path: Path
    mode: Mode
    cap_bytes: int
    cap_files: int
    user_id: int

    def over_the_cap(self) -> Literal["bytes", "files"] | None:
        """Which cap has been reached, if one has. A capped store is over when it is full: the writer met the cap."""
        if self.mode == "capped":
            status = os.statvfs(self.path)
            return "bytes" if status.f_bfree == 0 else "files" if status.f_ffree == 0 else None
        used_bytes, used_files = _usage(self.path, self.cap_files)
        return "files" if used_files > self.cap_files else "bytes" if used_bytes > self.cap_bytes else None


def require_room(folder: Path, cap_bytes: int, cap_files: int) -> None:
    """Before hours of work: the file system of ``folder`` has room for twice what a container may write, for its
    copies. Raises MachineError (I_DISK)."""
    status = os.statvfs(folder)
    free, wanted = status.f_bavail * status.f_frsize, 2 * cap_bytes
    # No number at all: a file system that knows no limit, or does not tell.
    if status.f_blocks > 0 and free < wanted:
        what = f"{free >> 20} MiB are free, up to {wanted >> 20} may be needed"
    elif status.f_files > 0 and status.f_favail < 2 * cap_files:
        what = f"{status.f_favail} files more can be made, up to {2 * cap_files} may be needed"
    else:
        return
    raise MachineError(
        f"there is too little room for what a container may write: {what}",
        code="I_DISK",
        hint="free space in the run directory's file system, then run the same command again: it goes on from here",
    )


@contextmanager
def output_store(folder: Path, cap_bytes: int, cap_files: int, *, mode: Mode | None = None) -> Iterator[OutputStore]:
    """A store at ``folder`` (made here), gone again at the end. ``mode`` None chooses the best that can be had.

    Raises MachineError (I_DISK) when the store cannot be made.
    """
    chosen: Mode = mode or ("capped" if os.geteuid() == 0 else "watched")
    release(folder)
    held = -1
    try:
        folder.mkdir(parents=True)
        # Held for as long as the store is in use, before a container has it and after: `humdial clean` asks for this
        # lock before it takes a store for left. It ends with its holder, also a killed one.
        held = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_SH)
        if chosen == "capped":
            _mount_tmpfs(folder, cap_bytes, cap_files)
        elif os.geteuid() == 0:
            os.chown(folder, USER_ID, USER_ID)
    except OSError as error:
        if held >= 0:
            os.close(held)
        raise MachineError(
            f"the store for the container's output cannot be made at {folder}: {error.strerror}",
            code="I_DISK",
            hint="free space, or pass another --out folder",
        ) from error
    # Who is not root can neither give the folder away nor delete what another user writes: run as oneself then.
    user = USER_ID if os.geteuid() == 0 else os.geteuid()
    try:
        yield OutputStore(folder, chosen, cap_bytes, cap_files, user)
    finally:
        release(folder)
        os.close(held)


def release(folder: Path) -> None:
    """Unmount and delete a store, also one that a killed process left behind. Nothing there is not an error."""
    if not folder.is_dir() or folder.is_symlink():
        return
    while os.path.ismount(folder):
        if _libc().umount2(os.fsencode(folder), _MNT_DETACH | _UMOUNT_NOFOLLOW) != 0:
            raise _refused("unmounted", folder)
    # rm and chmod, because a container may leave folders nested deeper than Python recurses, or closed to their owner.
    if subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False).returncode != 0:
        subprocess.run(["chmod", "-R", "u+rwX", "--", folder], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)
    if folder.exists():
        raise MachineError(f"{folder} could not be deleted", code="I_DISK", hint="delete it by hand, then run again")


def _mount_tmpfs(folder: Path, cap_bytes: int, cap_files: int) -> None:
    # One more inode than asked, for the root folder itself.
    options = f"size={cap_bytes},nr_inodes={cap_files + 1},mode=0755,uid={USER_ID},gid={USER_ID}"
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    if _libc().mount(STORE_SOURCE.encode(), os.fsencode(folder), b"tmpfs", flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _refused(what: str, folder: Path) -> MachineError:
    reason = os.strerror(ctypes.get_errno())
    return MachineError(f"{folder} could not be {what}: {reason}", code="I_DISK", hint=f"run `umount {folder}` as root")


def _usage(folder: Path, cap_files: int) -> tuple[int, int]:
    """Bytes allocated or claimed, and entries, below ``folder``; stops counting soon after ``cap_files``."""
    used_bytes = used_files = 0
    waiting = [folder]
    while waiting and used_files <= cap_files:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    used_files += 1
                    found = entry.stat(follow_symlinks=False)
                    # A hole counts as if it were filled: the copy would be.
                    used_bytes += (
                        max(found.st_size, found.st_blocks * 512) if entry.is_file(follow_symlinks=False) else 0
                    )
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    if used_files > cap_files:
                        break
        except OSError:  # it changes while we look, or forbids us to look: the collector decides at the end
            continue
    return used_bytes, used_files
