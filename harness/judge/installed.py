"""`python -m harness.judge.installed OUT`: what is installed in the image that this runs in, as name → sha256.

Every file that an import can find, by its place on the path, without compiled copies and times: an image that was built
otherwise than as our archive has another id on every build, and the same files.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

from harness.documents.codec import pretty_json

_WITHOUT = ("__pycache__", "INSTALLER", "RECORD", "REQUESTED", "direct_url.json")


def installed() -> dict[str, dict[str, str]]:
    """``files``: path → digest of all below ``sys.path``; ``versions`` of the packages and of Python."""
    files: dict[str, str] = {}
    for root in sorted({Path(entry).resolve() for entry in sys.path if entry and Path(entry).is_dir()}):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            if path.suffix != ".pyc" and not any(part in _WITHOUT for part in path.parts):
                with path.open("rb") as stream:
                    files[str(path)] = hashlib.file_digest(stream, "sha256").hexdigest()
    versions = {str(each.metadata["Name"]).lower(): each.version for each in distributions()}
    return {"files": files, "versions": {**dict(sorted(versions.items())), "python": platform.python_version()}}


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(pretty_json(installed()))
