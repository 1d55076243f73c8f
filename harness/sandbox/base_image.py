"""Loads the base root file system under a local tag: `python -m harness.sandbox.base_image BASE.tar TAG`.

Called by sandbox/base-image.sh. The base is a tar of a whole root file system, pulled or built there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.sandbox.engine import connect
from harness.sandbox.image_archive import ImageConfig, write_image

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def load_base(tar: Path, tag: str) -> str:
    """Make ``tag`` stand for the root file system in ``tar``, unless it does so already. Returns the image id.

    The same tar gives the same id on every machine. Raises MachineError when the engine or the disk fails.
    """
    engine = connect()
    stamp = tar.with_name("loaded")
    known = engine.image_id(tag)
    if known is not None and stamp.is_file() and stamp.read_text("utf-8").strip() == known:
        return known
    archive = tar.with_name("image.tar")
    config = ImageConfig(env={"PATH": PATH}, cmd=("/bin/sh",), architecture=engine.host().architecture)
    try:
        image_id = write_image(tar, [], config, archive)
        with archive.open("rb") as stream:
            engine.load(stream)
    finally:
        archive.unlink(missing_ok=True)
    engine.tag(image_id, tag)
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
