"""A folder, listed and read without following anything: regular files with one name, on one file system.

Every open goes component by component from the root's descriptor with O_NOFOLLOW, so that a folder swapped for a
link meanwhile is refused, and O_NONBLOCK, so that a pipe never blocks. Where a system has no such descriptors each
component is looked at before the file is opened, and the open file must be the listed one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import system
from harness.challenge.reading import ReadLimits
from harness.submission.readers.paths import MAX_DEPTH, name_fault
from harness.submission.readers.refusal import Refusal, quoted

_Folder = int | Path  # a descriptor; a path where folders have none (Windows)
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file as it was listed. ``stamp`` is device, inode, size and times: equal means unchanged."""

    path: str
    bytes: int
    stamp: tuple[int, ...]


@dataclass(slots=True)
class Tree:
    """The regular files below ``root`` by relative path, and what was refused on the way."""

    root: Path
    files: dict[str, Entry] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)

    def below(self, folder: str) -> Tree:
        """The part of the tree inside one of its folders, with paths relative to that."""
        head = f"{folder}/"
        inner = Tree(self.root / os.fsdecode(_raw(folder)))
        for path, entry in self.files.items():
            if path.startswith(head):
                short = path.removeprefix(head)
                inner.files[short] = Entry(short, entry.bytes, entry.stamp)
        inner.folders = {path.removeprefix(head) for path in self.folders if path.startswith(head)}
        inner.refusals = self.refusals
        return inner

    @contextmanager
    def open(self, path: str) -> Iterator[int]:
        """A descriptor of one listed file; on leaving, the file must still be what was listed.

        Raises Refusal: E_LAYOUT_TYPE, E_LAYOUT_PERM, E_CHANGED.
        """
        entry = self.files[path]
        descriptor = _open_beneath(self.root, path)
        try:
            if stamp(os.fstat(descriptor)) != entry.stamp:
                raise Refusal("E_CHANGED", name=quoted(path))
            yield descriptor
            if stamp(os.fstat(descriptor)) != entry.stamp:
                raise Refusal("E_CHANGED", name=quoted(path))
        finally:
            os.close(descriptor)

    def read(self, path: str) -> bytes:
        """All bytes of one listed file; the caller has looked at its size before. Raises Refusal like `open`."""
        with self.open(path) as descriptor:
            return os.read(descriptor, self.files[path].bytes + 1)

    def read_into(self, path: str, buffer: bytearray) -> memoryview:
        """All bytes of one listed file, in ``buffer``, which grows when it must: no fresh memory for every file.

        The view must be released before the buffer is used again. Raises Refusal like `open`.
        """
        bytes_ = self.files[path].bytes
        if len(buffer) <= bytes_:
            buffer.extend(bytes(bytes_ + 1 - len(buffer)))
        view = memoryview(buffer)
        with self.open(path) as descriptor:
            got = system.read_into(descriptor, view[: bytes_ + 1])
        if got != bytes_:
            raise Refusal("E_CHANGED", name=quoted(path))
        return view[:got]


def scan(root: Path, limits: ReadLimits) -> Tree:
    """List a folder. Links, devices, unreadable and unportable names are refused one by one, the rest still listed.

    Raises Refusal (E_LAYOUT_COUNT) when there are more than ``limits.members`` entries or folders nest too deeply.
    """
    tree = Tree(root)
    with _opened(root) as folder:
        _scan(folder, "", tree, limits, os.stat(folder).st_dev)  # noqa: PTH116 - a descriptor, mostly
    return tree


@contextmanager
def _opened(path: Path) -> Iterator[_Folder]:
    """A folder to list and look into. Raises OSError."""
    if not system.FOLDERS_BY_DESCRIPTOR:
        yield path
        return
    descriptor = os.open(path, system.FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _look(folder: _Folder, name: str) -> os.stat_result:
    """What an entry is, itself and not what it may lead to. Raises OSError."""
    if isinstance(folder, Path):
        return (folder / os.fsdecode(_raw(name))).lstat()
    return os.stat(_raw(name), dir_fd=folder, follow_symlinks=False)


@contextmanager
def _inside(folder: _Folder, name: str) -> Iterator[_Folder]:
    """A folder's folder. Raises OSError, for a link too."""
    if isinstance(folder, Path):
        inner = folder / os.fsdecode(_raw(name))
        info = inner.lstat()
        if not stat.S_ISDIR(info.st_mode) or system.is_link(info):
            raise NotADirectoryError(errno.ENOTDIR, "a link or no folder")
        yield inner
        return
    descriptor = os.open(_raw(name), system.FOLDER, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(name: str) -> str:
    """A name as UTF-8, whatever the locale says, so that every machine reports the same."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _scan(folder: _Folder, prefix: str, tree: Tree, limits: ReadLimits, device: int) -> None:
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(_text(entry.name))
            if len(names) + len(tree.files) + len(tree.folders) > limits.members:
                raise Refusal("E_LAYOUT_COUNT", what=f"more than {limits.members} entries")
    for name in sorted(names):
        path = prefix + name
        if fault := name_fault(name, limits):
            tree.refusals.append(Refusal("E_NAME", file=path, name=quoted(name), what=fault))
            continue
        try:
            info = _look(folder, name)
        except OSError as error:
            tree.refusals.append(_cannot_open(path, error))
            continue
        if refusal := _fault(path, info, device):
            tree.refusals.append(refusal)
        elif stat.S_ISREG(info.st_mode):
            tree.files[path] = Entry(path, info.st_size, stamp(info))
        else:
            tree.folders.add(path)
            _enter(folder, name, path, tree, limits, device)


def _enter(folder: _Folder, name: str, path: str, tree: Tree, limits: ReadLimits, device: int) -> None:
    if path.count("/") >= MAX_DEPTH:
        raise Refusal("E_LAYOUT_COUNT", what=f"folders nested more than {MAX_DEPTH} deep")
    with ExitStack() as stack:
        try:
            inner = stack.enter_context(_inside(folder, name))
        except OSError as error:
            tree.refusals.append(_cannot_open(path, error))
            return
        _scan(inner, path + "/", tree, limits, device)


def _fault(path: str, info: os.stat_result, device: int) -> Refusal | None:
    kind = stat.S_IFMT(info.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        what = _KINDS.get(kind, "neither a file nor a folder")
        return Refusal("E_LAYOUT_TYPE", file=path, name=quoted(path), what=what)
    if system.is_link(info):
        return Refusal("E_LAYOUT_TYPE", file=path, name=quoted(path), what="a junction")
    if info.st_dev != device:
        return Refusal("E_LAYOUT_TYPE", file=path, name=quoted(path), what="on another file system")
    if kind == stat.S_IFREG and info.st_nlink > 1:
        return Refusal("E_LAYOUT_TYPE", file=path, name=quoted(path), what="a hard link")
    # Root may read what nobody else may: the mode decides, so that every user gets the same answer.
    if not info.st_mode & 0o444:
        return Refusal("E_LAYOUT_PERM", file=path, name=quoted(path), mode=f"{stat.S_IMODE(info.st_mode):03o}")
    return None


def _open_beneath(root: Path, path: str) -> int:
    *parents, name = path.split("/")
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(_opened(root))
            for parent in parents:
                folder = stack.enter_context(_inside(folder, parent))
            if isinstance(folder, Path):
                return os.open(folder / os.fsdecode(_raw(name)), system.READ)  # `open` compares it with the listed one
            return os.open(_raw(name), system.READ, dir_fd=folder)
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: str, error: OSError) -> Refusal:
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refusal("E_LAYOUT_PERM", file=path, name=quoted(path), mode="closed to this user")
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
        return Refusal("E_LAYOUT_TYPE", file=path, name=quoted(path), what="a link or no regular file")
    return Refusal("E_CHANGED", file=path, name=quoted(path))


def stamp(info: os.stat_result) -> tuple[int, ...]:
    """What stays equal as long as nobody touches a file."""
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, stat.S_IFMT(info.st_mode))
