"""Container images written by hand as docker-archives: the same inputs give the same bytes and the same image id.

The engine's own builders stamp the time into what they make, so two builds of the same contents get two ids. Here
the id (sha256 of the config) is known before an engine sees the archive. Everything streams: memory stays flat.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from harness.documents.codec import canonical_json
from harness.errors import MachineError, UsageError

MTIME = 1764000000  # 2025-11-24T16:00:00Z, a date of our own choosing
CREATED = "2025-11-24T16:00:00Z"
_CHUNK = 1 << 20
_BLOCK = 512
Writer = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link of a layer. ``source`` is its bytes, the file that holds them, or a link's target."""

    source: bytes | Path | str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Layer:
    """Files by their path in the image (no leading slash). Owner, order and time are fixed, parents are made."""

    entries: Mapping[str, Entry]

    @classmethod
    def from_files(cls, files: Mapping[str, tuple[bytes | Path, int]]) -> Layer:
        """``archive path → (bytes or file, mode)``."""
        return cls({name.strip("/"): Entry(source, mode) for name, (source, mode) in files.items()})

    @classmethod
    def from_tree(cls, folder: Path, prefix: str, *, skip: Callable[[str], bool] = lambda name: False) -> Layer:
        """A folder's files and symbolic links below ``prefix``; modes become 0755 or 0644 by the owner's x bit.

        ``skip`` sees the path relative to ``folder``. Raises UsageError (E_IMG_ARCHIVE) for a device, socket or pipe.
        """
        entries = {}
        for path in sorted(_files(folder)):
            name = str(path.relative_to(folder))
            if not skip(name):
                entries[f"{prefix.strip('/')}/{name}".strip("/")] = _entry(path)
        return cls(entries)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What the image says about itself. ``created`` is fixed, so that it does not enter by accident."""

    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    workdir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    created: str = CREATED

    def document(self, diff_ids: Sequence[str]) -> bytes:
        """The config JSON; its sha256 is the image id."""
        inner: dict[str, Any] = {
            "Env": [f"{key}={value}" for key, value in sorted(self.env.items())],
            "Entrypoint": list(self.entrypoint) or None,
            "Cmd": list(self.cmd) or None,
            "WorkingDir": self.workdir,
            "User": self.user,
            "Labels": dict(self.labels) or None,
        }
        return canonical_json(
            {
                "architecture": self.architecture,
                "os": "linux",
                "created": self.created,
                "config": {key: value for key, value in inner.items() if value},
                "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
                "history": [{"created": self.created, "created_by": "humdial"} for _ in diff_ids],
            }
        )


def write_image(base_tar: Path | None, layers: Sequence[Layer | Path], config: ImageConfig, out: Path) -> str:
    """Write a docker-archive to ``out`` in one step and return the image id (``sha256:…``).

    ``base_tar`` and every Path among ``layers`` is an uncompressed layer tar that is taken as it is.
    Raises MachineError (I_DISK) when the disk refuses, UsageError (E_IMG_ARCHIVE) when an input is not there.
    """
    parts: list[Layer | Path] = [*([base_tar] if base_tar is not None else []), *layers]
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            image_id = _write_archive(stream, parts, config)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        Path(temporary).replace(out)
    except FileNotFoundError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(
            f"an input of the image is missing: {error.filename}", code="E_IMG_ARCHIVE", hint="make it first"
        ) from error
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise MachineError(
            f"{out} could not be written: {error.strerror}", code="I_DISK", hint="free space or pass another folder"
        ) from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return image_id


def verify_archive(path: Path) -> str:
    """Recompute every layer's digest and the image id of a docker-archive, and return the id.

    An engine skips layers that it has already, so a changed archive can go unnoticed there; this reads all of it.
    Raises UsageError (E_IMG_ARCHIVE) when the archive is broken or its layers are not those that its config names.
    """
    try:
        digests, small = _read_members(path)
        (image,) = json.loads(small["manifest.json"])
        config = small[image["Config"]]
        wanted = json.loads(config)["rootfs"]["diff_ids"]
        found = [f"sha256:{digests[name]}" for name in image["Layers"]]
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path.name} is not a docker-archive of one image: {error}", code="E_IMG_ARCHIVE", hint="build it again"
        ) from error
    if found != wanted:
        raise UsageError(
            f"the layers of {path.name} are not those that its config names",
            code="E_IMG_ARCHIVE",
            hint="build it again",
        )
    return "sha256:" + hashlib.sha256(config).hexdigest()


def _write_archive(stream: IO[bytes], parts: Sequence[Layer | Path], config: ImageConfig) -> str:
    names, diff_ids = [], []
    for index, part in enumerate(parts):
        name = f"{index:02d}/layer.tar"
        size = part.stat().st_size if isinstance(part, Path) else _layer_size(part)
        stream.write(_header(name, size, 0o644))
        diff_ids.append(_copy_layer(part, size, stream.write))
        stream.write(b"\0" * _padding(size))
        names.append(name)
    document = config.document(diff_ids)
    image_id = hashlib.sha256(document).hexdigest()
    manifest = canonical_json([{"Config": f"{image_id}.json", "Layers": names, "RepoTags": None}])
    for name, data in ((f"{image_id}.json", document), ("manifest.json", manifest)):
        _write_member(stream.write, name, Entry(data))
    stream.write(b"\0" * (2 * _BLOCK))
    return f"sha256:{image_id}"


def _copy_layer(part: Layer | Path, size: int, write: Writer) -> str:
    """Write one layer's tar and return its diff id. Raises OSError when its files change meanwhile."""
    hasher = hashlib.sha256()
    written = 0

    def both(data: bytes) -> None:
        nonlocal written
        hasher.update(data)
        written += len(data)
        write(data)

    if isinstance(part, Path):
        with part.open("rb") as source:
            for chunk in iter(lambda: source.read(_CHUNK), b""):
                both(chunk)
    else:
        for name, entry in _members(part):
            _write_member(both, name, entry)
        both(b"\0" * (2 * _BLOCK))
    if written != size:
        raise OSError(5, "a layer's files changed while they were read")
    return f"sha256:{hasher.hexdigest()}"


def _members(layer: Layer) -> Iterator[tuple[str, Entry | None]]:
    """Every member in order, parents (None) before what they hold."""
    folders = {parent for name in layer.entries for parent in _parents(name)}
    for name in sorted(folders | set(layer.entries)):
        yield name, layer.entries.get(name)


def _layer_size(layer: Layer) -> int:
    total = 2 * _BLOCK
    for name, entry in _members(layer):
        size = _size(entry)
        total += len(_member_header(name, entry, size)) + size + _padding(size)
    return total


def _write_member(write: Writer, name: str, entry: Entry | None) -> None:
    size = _size(entry)
    write(_member_header(name, entry, size))
    if entry is None or isinstance(entry.source, str):
        return
    left = size
    with io.BytesIO(entry.source) if isinstance(entry.source, bytes) else entry.source.open("rb") as source:
        while left and (chunk := source.read(min(_CHUNK, left))):
            write(chunk)
            left -= len(chunk)
    write(b"\0" * _padding(size))


def _member_header(name: str, entry: Entry | None, size: int) -> bytes:
    if entry is None:
        return _header(name, 0, 0o755, kind=tarfile.DIRTYPE)
    if isinstance(entry.source, str):
        return _header(name, 0, 0o777, kind=tarfile.SYMTYPE, target=entry.source)
    return _header(name, size, entry.mode)


def _header(name: str, size: int, mode: int, *, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname, info.mtime = size, mode, kind, target, MTIME
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _size(entry: Entry | None) -> int:
    if entry is None or isinstance(entry.source, str):
        return 0
    return len(entry.source) if isinstance(entry.source, bytes) else entry.source.stat().st_size


def _padding(size: int) -> int:
    return -size % _BLOCK


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _files(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield Path(entry.path)


def _entry(path: Path) -> Entry:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return Entry(str(path.readlink()))
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is not a file", code="E_IMG_ARCHIVE", hint="remove it from the image's contents")
    return Entry(path, 0o755 if found.st_mode & stat.S_IXUSR else 0o644)


def _sha256(source: IO[bytes]) -> str:
    hasher = hashlib.sha256()
    for chunk in iter(lambda: source.read(_CHUNK), b""):
        hasher.update(chunk)
    return hasher.hexdigest()


def _read_members(path: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """The sha256 of every member, and the bytes of the small JSON ones."""
    digests, small = {}, {}
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            source = archive.extractfile(member) if member.isreg() else None
            if source is None:
                continue
            if member.name.endswith(".json") and member.size < _CHUNK:
                small[member.name] = source.read()
            else:
                digests[member.name] = _sha256(source)
    return digests, small


__all__ = ["Entry", "ImageConfig", "Layer", "verify_archive", "write_image"]
