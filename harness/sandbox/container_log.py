"""What a container printed: kept for the organisers, capped, and asked once whether anything ran at all."""

from __future__ import annotations

import os
from pathlib import Path

from harness.sandbox.engine import Engine, translated

# Written by the engine's own init when it cannot execute the image's program.
_INIT_FAILURE = b"[FATAL tini"


def keep_log(engine: Engine, container: str, path: Path, cap: int) -> None:
    """What the program printed, at most twice the engine's own cap, readable by its owner only.

    The container has ended, so nothing can be waiting for us to read on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    left = 2 * cap
    with (
        translated("hand over a container's log"),
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as log,
    ):
        for chunk in engine.api.logs(container, stdout=True, stderr=True, stream=True, follow=False):
            log.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                break


def init_failed(log_path: Path) -> bool:
    """Whether the engine's own init could not execute the image's program."""
    with log_path.open("rb") as log:
        return log.read(len(_INIT_FAILURE)) == _INIT_FAILURE
