"""Where an archive's members go: a new private folder, file by file, never through a link.

Nothing here trusts an archive: names were checked before, every file is created anew (O_EXCL), and what collides on
any common file system is refused.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from harness import system
from harness.errors import MachineError
from harness.submission.readers.paths import fold
from harness.submission.readers.refusal import Refusal, quoted


@dataclass(slots=True)
class Names:
    """The names seen so far; refuses doubles and collisions."""

    _kinds: dict[str, str] = field(default_factory=dict)  # path: "file", "folder", or "parent" (only implied)
    _folds: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, *, folder: bool) -> None:
        """Register one member. Raises Refusal (E_ARC_DUP, E_ARC_COLLIDE)."""
        known = self._kinds.get(path)
        kind = "folder" if folder else "file"
        if known == kind:
            raise Refusal("E_ARC_DUP", name=quoted(path))
        if known is not None and not (folder and known == "parent"):
            raise Refusal("E_ARC_COLLIDE", name=quoted(path), other=quoted(path))
        self._fold(path)
        self._kinds[path] = kind
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            known = self._kinds.get(parent)
            if known == "file":
                raise Refusal("E_ARC_COLLIDE", name=quoted(path), other=quoted(parent))
            if known is not None:
                break
            self._fold(parent)
            self._kinds[parent] = "parent"

    def _fold(self, path: str) -> None:
        other = self._folds.setdefault(fold(path), path)
        if other != path:
            raise Refusal("E_ARC_COLLIDE", name=quoted(path), other=quoted(other))


def create_file(root: Path, path: str) -> int:
    """A descriptor to write a new file below ``root``. Raises MachineError (I_DISK)."""
    target = os.fsencode(root) + b"/" + path.encode()  # UTF-8 whatever the locale says
    try:
        Path(os.fsdecode(target)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(target, system.WRITE | os.O_EXCL, 0o600)
    except OSError as error:
        raise disk_error(error) from error


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte. Raises MachineError (I_DISK)."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise disk_error(error) from error


def disk_error(error: OSError) -> MachineError:
    """The machine cannot hold the extracted files: our side, never the team's."""
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
    return MachineError(
        "the archive could not be unpacked: " + ("the disk is full" if full else str(error.strerror)),
        code="I_DISK",
        hint="free space in the work folder (TMPDIR) and run the same command again",
    )
