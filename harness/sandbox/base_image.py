"""Loads the base root file system under a local tag: `python -m harness.sandbox.base_image BASE.tar TAG`.

Called by sandbox/base-image.sh. The base is a tar of a whole root file system, pulled or built there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.sandbox.engine import connect

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def load_base(tar: Path, tag: str) -> str:
    """Make ``tag`` stand for the root file system in ``tar``, unless it does so already. Returns the image id.

    Raises MachineError (I_ENGINE) when no engine answers or it refuses the tar.
    """
    engine = connect()
    stamp = tar.with_name("loaded")
    known = engine.image_id(tag)
    if known is not None and stamp.is_file() and stamp.read_text("utf-8").strip() == known:
        return known
    image_id = engine.import_rootfs(tar, tag, environment={"PATH": PATH})
    stamp.write_text(image_id + "\n", "utf-8")
    return image_id


def main(arguments: list[str]) -> int:
    try:
        print(load_base(Path(arguments[0]), arguments[1]), file=sys.stderr)  # noqa: T201 - a script's own message
    except HarnessError as error:
        print(f"base image: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
