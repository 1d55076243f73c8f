"""Reads `docker save` tars of teams, as a program of its own with limits: whatever such a file makes of this process,
the one that asked goes on.

On standard input comes the order, one JSON object: descriptors of the open tar and of an empty file, and caps. The
first answer is the image's id, from its config; after a line on standard input the verified config and layers are
written to the file as an archive of our own making, and the second answer says that it is whole. A refusal or a fault
of the machine stands in the place of either. Layers are hashed against the digests that the config names, and their
members are listed with caps.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import posixpath
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by its path: the package that it lies in

from harness import system

MAX_JSON_BYTES = 4 * 1024**2
MAX_LAYER_MEMBERS = 2_000_000
MAX_HEADER_BYTES = 1024**2
MEMORY_BYTES, OPEN_FILES = 512 << 20, 64
CPU_S = 60  # and more for every 4 MiB, of which a processor inflates and hashes far more in a second
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
# RecursionError: tarfile calls itself for each extended header that follows another.
_UNREADABLE = (tarfile.TarError, EOFError, UnicodeError, OverflowError, RecursionError, zlib.error)
# A gzip layer that inflates further than this, once it is big, is a bomb.
MAX_RATIO, RATIO_FREE_BYTES = 200, 64 * 1024**2
_CHUNK = 1024**2


class Refused(Exception):
    """The tar is not an image that is loaded: a code, and the values of its message."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


@dataclass(frozen=True, slots=True)
class Caps:
    """Of all layers together, in bytes after inflating, and of their number."""

    bytes: int
    layers: int

    @property
    def members(self) -> int:
        return 4 * self.layers + 64


class _CappedHeader(tarfile.TarInfo):
    """A member whose extended headers are small, because tarfile reads those into memory whole, and without the two
    kinds that no engine writes: global headers, which tarfile keeps for good, and sparse files, whose few bytes may
    stand for any number."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _CappedHeader:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > MAX_HEADER_BYTES:
            _refuse("a header in it is too large")
        if header.type == tarfile.XGLTYPE:
            _refuse("a global header stands in it")
        return header

    def _refuse_sparse(self, *_: object) -> NoReturn:
        _refuse("a sparse file stands in it")

    # Where tarfile goes for the four ways to write a sparse file; later it would have read the whole map.
    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


@dataclass(frozen=True, slots=True)
class _Parts:
    config: bytes
    layers: tuple[str, ...]  # member names in the team's tar
    diff_ids: tuple[str, ...]


def main(stdin: IO[bytes], stdout: IO[bytes]) -> None:
    order = json.loads(stdin.readline())
    caps = Caps(order["bytes"], order["layers"])
    system.limit(MEMORY_BYTES, CPU_S + (os.fstat(order["tar"]).st_size >> 22), OPEN_FILES, 2 * caps.bytes + (1 << 30))
    for answer in _answers(order["tar"], order["clean"], caps, str(order["scratch"])):
        stdout.write(json.dumps(answer).encode() + b"\n")
        stdout.flush()
        if "image" not in answer or not stdin.readline():
            return


def _answers(tar: int, clean: int, caps: Caps, scratch: str) -> Iterator[dict[str, object]]:
    try:
        with os.fdopen(tar, "rb") as raw, tarfile.open(fileobj=raw, mode="r:", tarinfo=_CappedHeader) as archive:
            members = _members(archive, caps)
            parts = _parts(archive, members, caps)
            yield {"image": hashlib.sha256(parts.config).hexdigest()}
            with os.fdopen(clean, "wb") as target:
                _rewrite(archive, members, parts, target, caps, scratch)
        yield {"whole": True}
    except Refused as refused:
        yield {"refused": [refused.code, refused.values]}
    except (*_UNREADABLE, gzip.BadGzipFile):
        yield {"refused": ["E_IMG_ARCHIVE", {"why": "it is not a readable uncompressed tar"}]}
    except MemoryError:
        yield {"refused": ["E_IMG_ARCHIVE", {"why": "reading it takes more memory than any image should"}]}
    except OSError as error:
        yield {"machine": error.strerror or "it cannot be read"}


def _refuse(why: str) -> NoReturn:
    raise Refused("E_IMG_ARCHIVE", why=why)


def _too_big(size: int, layers: int, caps: Caps) -> NoReturn:
    raise Refused("E_IMG_SIZE", bytes=size, layers=layers, cap=caps.bytes)


def _members(archive: tarfile.TarFile, caps: Caps) -> dict[str, tarfile.TarInfo]:
    """Name to regular member; links inside the archive are followed by name, once, and never leave it."""
    found: dict[str, tarfile.TarInfo] = {}
    links: dict[str, str] = {}
    for count, member in enumerate(archive):
        if count >= caps.members:
            _refuse("it has too many members")
        name = posixpath.normpath(member.name)
        if name.startswith(("/", "../")) or name in found or name in links:
            _refuse("a member's name is unsafe or stands twice")
        if member.isreg():
            found[name] = member
        elif member.issym():
            links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        elif not member.isdir():
            _refuse("it holds a special file")
    for name, target in links.items():
        if target not in found:
            _refuse("a link in it points nowhere")
        found[name] = found[target]
    return found


def _parts(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], caps: Caps) -> _Parts:
    manifest = _json(archive, members, "manifest.json")
    if not (isinstance(manifest, list) and len(manifest) == 1 and isinstance(manifest[0], dict)):
        _refuse("its manifest.json does not name exactly one image")
    names, config_name = manifest[0].get("Layers"), manifest[0].get("Config")
    if not (isinstance(config_name, str) and isinstance(names, list) and all(isinstance(n, str) for n in names)):
        _refuse("its manifest.json is not in the docker-archive form")
    config = _read(archive, members, config_name)
    plain = _parse(config)
    rootfs = plain.get("rootfs") if isinstance(plain, dict) else None
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(names) or not all(isinstance(d, str) for d in diff_ids):
        _refuse("its config and its list of layers do not agree")
    if len(names) > caps.layers:
        _too_big(0, len(names), caps)
    return _Parts(config, tuple(names), tuple(diff_ids))


def _json(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> Any:
    return _parse(_read(archive, members, name))


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        _refuse("its manifest or config is not JSON")


def _read(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> bytes:
    member = members.get(posixpath.normpath(name))
    if member is None or member.size > MAX_JSON_BYTES:
        _refuse("its manifest or config is missing or too large")
    stream = archive.extractfile(member)
    if stream is None:
        _refuse("its manifest or config cannot be read")
    return stream.read()


def _rewrite(
    archive: tarfile.TarFile,
    members: dict[str, tarfile.TarInfo],
    parts: _Parts,
    target: IO[bytes],
    caps: Caps,
    scratch: str,
) -> None:
    """A docker-archive of the verified config and layers, under names of ours."""
    config_name = hashlib.sha256(parts.config).hexdigest() + ".json"
    layer_names = [f"{index:03d}/layer.tar" for index in range(len(parts.layers))]
    manifest = json.dumps([{"Config": config_name, "RepoTags": None, "Layers": layer_names}]).encode()
    left = caps.bytes
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as clean:
        for name, data in ((config_name, parts.config), ("manifest.json", manifest)):
            clean.addfile(_entry(name, len(data)), io.BytesIO(data))
        for name, source, diff_id in zip(layer_names, parts.layers, parts.diff_ids, strict=True):
            member = members.get(posixpath.normpath(source))
            if member is None:
                _refuse("a layer is missing")
            with tempfile.TemporaryFile(dir=scratch) as plain:
                left -= _unpack_layer(archive, member, plain, diff_id, left, (len(parts.layers), caps))
                plain.seek(0)
                _check_layer(plain)
                size = plain.seek(0, io.SEEK_END)
                plain.seek(0)
                clean.addfile(_entry(name, size), plain)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _unpack_layer(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    target: IO[bytes],
    diff_id: str,
    room: int,
    shape: tuple[int, Caps],
) -> int:
    """Copy one layer, inflated when it is gzip, until ``room`` is used up; its digest must be ``diff_id``."""
    raw = archive.extractfile(member)
    if raw is None:
        _refuse("a layer cannot be read")
    zipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    source: IO[bytes] = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > room:
            _too_big(shape[1].bytes - room + size, *shape)
        if size > max(RATIO_FREE_BYTES, MAX_RATIO * member.size):
            _refuse("a layer inflates to far more than its own size")
        digest.update(chunk)
        target.write(chunk)
    if "sha256:" + digest.hexdigest() != diff_id:
        _refuse("a layer is not the one that its config names")
    return size


def _check_layer(stream: IO[bytes]) -> None:
    """List a layer's members: no name and no hard link may point out of it."""
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_CappedHeader) as layer:
        count = 0
        while (member := layer.next()) is not None:
            layer.members = []  # type: ignore[attr-defined] # tarfile keeps every header otherwise
            count += 1
            if count > MAX_LAYER_MEMBERS:
                _refuse("a layer has too many members")
            for name in (member.name, member.linkname if member.islnk() else ""):
                if ".." in name.split("/"):
                    _refuse("a member of a layer points out of it")


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
