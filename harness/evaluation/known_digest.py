"""The digest of a folder of inputs, remembered for as long as no file of it changes its size, time or inode."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from harness.documents.codec import canonical_json, digest, write_atomic
from harness.evaluation.preparing import source_digest
from harness.resources import cache_dir


def known_digest(folder: Path) -> str:
    """`source_digest` of ``folder``; its files are read again only when one of them is new, gone or changed.

    Raises MachineError (I_DISK) when it cannot be remembered.
    """
    name = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    memo = cache_dir() / "digests" / f"{name[:32]}.json"
    before = _stamps(folder)
    try:
        known = json.loads(memo.read_text("utf-8"))
        if known["stamps"] == before:
            return str(known["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = source_digest(folder)
    if _stamps(folder) == before:  # else somebody is writing to it
        write_atomic(memo, canonical_json({"stamps": before, "digest": found}))
    return found


def _stamps(folder: Path) -> str:
    """A digest over name, size, times and inode of every file. The time of the inode cannot be set back by hand."""
    entries = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        entries.append([ascii(path.relative_to(folder).as_posix()), *map(str, stamp)])
    return digest(entries)
