"""Documents of a run by their own digest: written before the journal speaks of them, checked whenever they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import Refused
from harness.evaluation.run_io import RunIO


class Blobs:
    """``folder``/ab/<sha256>. Equal contents are stored once."""

    def __init__(self, io: RunIO, folder: Path) -> None:
        self._io, self._folder = io, folder

    def put(self, data: bytes) -> str:
        """Store ``data``; returns its sha256 in hex. A damaged blob of that name is replaced."""
        sha256 = hashlib.sha256(data).hexdigest()
        if self.problem(sha256) is not None:
            self._io.write(self.path(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Raises Refused (I_CORRUPT) when it is missing or not what its name says."""
        problem = self.problem(sha256)
        if problem is not None:
            raise Refused(
                f"the blob {sha256[:12]} {problem}",
                code="I_CORRUPT",
                hint="restore the folder from a copy, or begin a new run; verdicts are used again",
            )
        return self.path(sha256).read_bytes()

    def problem(self, sha256: str) -> str | None:
        """What is wrong with a blob: "is missing", "is damaged", or None."""
        path = self.path(sha256)
        try:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return "is missing"
        return None if found == sha256 else "is damaged"

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
