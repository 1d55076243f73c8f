"""What a path holds: a folder as it stands, or an archive unpacked into a private folder."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.reading import ReadLimits
from harness.errors import UsageError
from harness.submission.readers.apart import unpack_apart
from harness.submission.readers.extraction import disk_error
from harness.submission.readers.paths import is_junk
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.tree import Tree, scan


@dataclass(frozen=True, slots=True)
class Source:
    """``tree`` is what may be read; ``junk`` the operating system's files that were left out."""

    tree: Tree
    junk: tuple[str, ...]


@contextmanager
def open_source(path: Path, work: Path | None, limits: ReadLimits) -> Iterator[Source]:
    """Open a folder or an archive.

    An archive goes to a new folder below ``work`` and stays there; without ``work`` it is removed on leaving.
    Raises Refusal for what is neither or is refused, UsageError (E_USAGE) when there is nothing at ``path``,
    MachineError (I_DISK) when unpacking fails on our side.
    """
    descriptor = _open(path)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            yield _listed(path, (), limits)
            return
        home = Path(tempfile.mkdtemp(prefix="humdial-unpacked-", dir=_made(work)))
        keep = False
        try:
            junk = unpack_apart(descriptor, path.name, home, limits)
            source = _listed(home, tuple(junk), limits)
            keep = work is not None
            yield source
        finally:
            if not keep:
                shutil.rmtree(home, ignore_errors=True)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """A descriptor of a regular file or folder; a link, pipe or device is refused without blocking."""
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise Refusal("E_ARC_FORMAT", what="this is a link, a pipe or a device")
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be opened: {error.strerror}", code="E_USAGE", hint="check the path and its permissions"
        ) from error


def _made(work: Path | None) -> Path | None:
    if work is not None:
        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error) from error
    return work


def _listed(root: Path, junk: tuple[str, ...], limits: ReadLimits) -> Source:
    tree = scan(root, limits)
    found = [path for path in tree.files if is_junk(path)]
    for path in found:
        del tree.files[path]
    if not tree.files and not tree.refusals:
        raise Refusal("E_ARC_EMPTY", what="there is no file inside")
    return Source(tree, tuple(sorted({*junk, *found})))
