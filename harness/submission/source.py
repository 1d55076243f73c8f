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
from harness.system import READ, is_link


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
    if _is_folder(path):
        try:
            source = _listed(path, (), limits)
        except OSError as error:
            raise _cannot_open(path, error) from error
        yield source
        return
    descriptor = _open(path)
    try:
        home = Path(tempfile.mkdtemp(prefix="humdial-unpacked-", dir=_made(work)))
        keep = False
        try:
            junk = unpack_apart(descriptor, path, home, limits)
            source = _listed(home, tuple(junk), limits)
            keep = work is not None
            yield source
        finally:
            if not keep:
                shutil.rmtree(home, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder and not a file; a link, pipe or device is refused without opening it."""
    try:
        info = path.lstat()
    except OSError as error:
        raise _cannot_open(path, error) from error
    kind = stat.S_IFMT(info.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR) or is_link(info):
        raise Refusal("E_ARC_FORMAT", what="this is a link, a pipe or a device")
    return kind == stat.S_IFDIR


def _open(path: Path) -> int:
    """A descriptor of a regular file; what took its place meanwhile is refused without blocking."""
    try:
        descriptor = os.open(path, READ)
    except OSError as error:
        raise _cannot_open(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refusal("E_ARC_FORMAT", what="this is a link, a pipe or a device")
    return descriptor


def _cannot_open(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be opened: {error.strerror}", code="E_USAGE", hint="check the path and its permissions"
    )


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
