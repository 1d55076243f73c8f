"""A file that a team handed in: which kind of archive, decided by its first bytes and its name together."""

from __future__ import annotations

import os
from pathlib import Path

from harness.challenge.reading import ReadLimits
from harness.submission.readers import tar_archive, zip_archive
from harness.submission.readers.refusal import Refusal
from harness.system import read_at

_HEAD = 512
_SUFFIXES = {"zip": (".zip",), "tar": (".tar",), "gzip": (".tar.gz", ".tgz")}


def unpack(descriptor: int, name: str, target: Path, limits: ReadLimits) -> list[str]:
    """Unpack the open archive called ``name`` into the empty folder ``target``; returns ignored junk names.

    Raises Refusal (E_ARC_*, E_NAME, E_CHANGED when something writes to it meanwhile) and MachineError (I_DISK).
    """
    before = os.fstat(descriptor)
    if before.st_size == 0:
        raise Refusal("E_ARC_EMPTY", what="the archive has 0 bytes")
    if before.st_size > limits.archive_bytes:
        raise Refusal("E_ARC_SIZE", bytes=before.st_size, limit=limits.archive_bytes)
    kind = _kind(descriptor, name, before.st_size)
    if kind == "zip":
        junk = zip_archive.unpack_zip(descriptor, before.st_size, target, limits)
    else:
        junk = tar_archive.unpack_tar(descriptor, before.st_size, target, limits, gzipped=kind == "gzip")
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    ):
        raise Refusal("E_CHANGED", name="the archive")
    return junk


def _kind(descriptor: int, name: str, bytes_: int) -> str:
    head = read_at(descriptor, _HEAD, 0)
    named = next((kind for kind, ends in _SUFFIXES.items() if name.lower().endswith(ends)), None)
    found = _by_magic(head)
    if found is None and named == "zip" and head[:2] == b"PK":
        raise Refusal("E_ARC_TRUNC" if bytes_ < 4 else "E_ARC_MALFORMED", what="its first header is broken")
    if found is None and named is not None and len(head) < _HEAD and named == "tar":
        raise Refusal("E_ARC_TRUNC", what="its first header is not complete")
    if found is None and named == "zip" and b"PK\x05\x06" in read_at(descriptor, 66_000, max(0, bytes_ - 66_000)):
        raise Refusal("E_ARC_MALFORMED", what="bytes before its first member")
    if found is None:
        raise Refusal("E_ARC_FORMAT", what="this is neither a zip nor a tar nor a tar.gz")
    if found != named:
        ends = " or ".join(_SUFFIXES[found])
        raise Refusal("E_ARC_FORMAT", what=f"this is a {found} archive, but its name does not end in {ends}")
    return found


def _by_magic(head: bytes) -> str | None:
    if head[:4] in zip_archive.MAGIC:
        return "zip"
    if head[:2] == tar_archive.GZIP_MAGIC:
        return "gzip"
    if head[tar_archive.MAGIC_AT : tar_archive.MAGIC_AT + 5] == tar_archive.MAGIC:
        return "tar"
    return None
