"""`docker save` tars from teams: read strictly, verified against their own digests, and written anew for the engine.

The engine never sees the team's tar. Every layer is hashed against the digest that the image's config names, the
members of the layers are listed with caps, and what the engine loads is an archive of our own making with the same
config and layers: so the image id is known before anything is loaded.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import posixpath
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.errors import MachineError
from harness.sandbox.engine import Engine, LoadRefused
from harness.sandbox.image_rules import MAX_IMAGE_BYTES, MAX_LAYERS

MAX_JSON_BYTES = 4 * 1024**2
MAX_OUTER_MEMBERS = 4 * MAX_LAYERS + 64
MAX_LAYER_MEMBERS = 2_000_000
MAX_HEADER_BYTES = 1024**2
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


class ArchiveRefused(Exception):
    """The tar is not an image that we load; ``finding`` says why."""

    def __init__(self, refusal: Finding) -> None:
        super().__init__(refusal.message)
        self.finding = refusal


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


def load_image_tar(engine: Engine, path: Path, *, max_bytes: int = MAX_IMAGE_BYTES) -> str:
    """Check ``path``, load it, return the image id.

    Raises ArchiveRefused when it is not a sound image, MachineError when the engine fails.
    """
    with _opened(path) as archive:
        members = _members(archive)
        parts = _parts(archive, members)
        image_id = "sha256:" + hashlib.sha256(parts.config).hexdigest()
        if engine.inspect_image(image_id) is not None:
            return image_id
        with tempfile.TemporaryFile() as clean:
            _rewrite(archive, members, parts, clean, max_bytes)
            clean.seek(0)
            try:
                engine.load(clean)
            except LoadRefused as refused:
                if refused.for_want_of_space:
                    raise
                _refuse("the engine cannot load it")
    if engine.inspect_image(image_id) is None:
        _refuse("the engine makes another image of it than its config says")
    return image_id


def _refuse(why: str) -> NoReturn:
    raise ArchiveRefused(finding("E_IMG_ARCHIVE", why=why))


def _too_big(size: int, layers: int, cap: int) -> NoReturn:
    raise ArchiveRefused(finding("E_IMG_SIZE", bytes=size, layers=layers, cap=cap))


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:", tarinfo=_CappedHeader) as archive:
            yield archive
    except (*_UNREADABLE, gzip.BadGzipFile) as error:
        raise ArchiveRefused(finding("E_IMG_ARCHIVE", why="it is not a readable uncompressed tar")) from error
    except OSError as error:
        raise MachineError(
            f"the image archive could not be read and copied: {error.strerror}",
            code="I_DISK",
            hint="free space where temporary files go, or set TMPDIR",
        ) from error


def _members(archive: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """Name to regular member; links inside the archive are followed by name, once, and never leave it."""
    found: dict[str, tarfile.TarInfo] = {}
    links: dict[str, str] = {}
    for count, member in enumerate(archive):
        if count >= MAX_OUTER_MEMBERS:
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


def _parts(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> _Parts:
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
    if len(names) > MAX_LAYERS:
        _too_big(0, len(names), MAX_IMAGE_BYTES)
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
    archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], parts: _Parts, target: IO[bytes], max_bytes: int
) -> None:
    """A docker-archive of the verified config and layers, under names of ours."""
    config_name = hashlib.sha256(parts.config).hexdigest() + ".json"
    layer_names = [f"{index:03d}/layer.tar" for index in range(len(parts.layers))]
    manifest = json.dumps([{"Config": config_name, "RepoTags": None, "Layers": layer_names}]).encode()
    left = max_bytes
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as clean:
        for name, data in ((config_name, parts.config), ("manifest.json", manifest)):
            clean.addfile(_entry(name, len(data)), io.BytesIO(data))
        for name, source, diff_id in zip(layer_names, parts.layers, parts.diff_ids, strict=True):
            member = members.get(posixpath.normpath(source))
            if member is None:
                _refuse("a layer is missing")
            with tempfile.TemporaryFile() as plain:
                left -= _unpack_layer(archive, member, plain, diff_id, left, (len(parts.layers), max_bytes))
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
    shape: tuple[int, int],
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
            _too_big(shape[1] - room + size, shape[0], shape[1])
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
