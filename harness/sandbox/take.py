"""Takes one named result file out of an output folder, without trusting what lies there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from harness.sandbox.safe_open import open_beneath, open_root


def take_file(folder: Path, name: str, cap_bytes: int) -> bytes | None:
    """The bytes of ``folder``/``name``, or None when there is no such regular file of one name within ``cap_bytes``."""
    root = open_root(folder)
    try:
        descriptor = open_beneath(root, name)
    except OSError:
        return None
    finally:
        os.close(root)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > cap_bytes:
            return None
        data = stream.read(cap_bytes + 1)
    return data if len(data) <= cap_bytes else None
