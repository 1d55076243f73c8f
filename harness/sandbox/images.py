"""From what the caller names (a local image's name or id, or a `docker save` tar) to an image that may run."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import UsageError
from harness.sandbox.container import removed_at_the_end
from harness.sandbox.engine import Engine, translated
from harness.sandbox.image_rules import Image, image_from
from harness.sandbox.image_tar import load_image_tar
from harness.sandbox.owner import OWNER_LABEL, this_process
from harness.sandbox.profile import NONCE_LABEL, ROLE_LABEL

# Names and ids that an engine can know. Anything else would be read as a path or a query of its API.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:@-]{0,510}[A-Za-z0-9])?")
_IS_FOLDER = 1 << 31  # the engine's word for a folder in a file mode


def resolve_image(engine: Engine, name: str) -> Image:
    """The local image that ``name`` stands for; a tar is checked and loaded first. Nothing is ever pulled.

    Raises UsageError (E_IMG_UNKNOWN) when there is no such image, ArchiveRefused for an unsound tar, MachineError.
    """
    if _is_file(name):
        inspected = engine.inspect_image(load_image_tar(engine, Path(name)))
    else:
        inspected = engine.inspect_image(name) if _is_name(name) else None
    if inspected is None:
        raise UsageError(
            f"there is no image {name if _is_name(name) else ascii(name[:200])} in this engine, and no such file",
            code="E_IMG_UNKNOWN",
            hint="build, load or pull it first (`docker image ls` lists what is there), or pass a `docker save` tar",
        )
    return image_from(inspected)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and ".." not in name.split("/")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than any path, or in a folder that we may not enter
        return False


def run_sh_mode(engine: Engine, image: Image, nonce: str) -> int | None:
    """The file mode of /run.sh in ``image``, or None when there is no such file. The container made for it never runs.

    Raises MachineError (I_ENGINE).
    """
    import docker.errors

    config = {
        "Image": image.id,
        "Entrypoint": ["/run.sh"],
        "WorkingDir": "/",  # the image's own may be one that no container can be made with
        "NetworkDisabled": True,
        "Labels": {NONCE_LABEL: nonce, ROLE_LABEL: "look", OWNER_LABEL: this_process()},
        "HostConfig": {"NetworkMode": "none", "ReadonlyRootfs": True, "CapDrop": ["ALL"]},
    }
    name = f"humdial-look-{nonce}"
    with removed_at_the_end(engine, name), translated("look into an image"):
        try:
            engine.api.create_container_from_config(config, name)
            stream, found = engine.api.get_archive(name, "/run.sh")
            stream.close()
        except docker.errors.NotFound:
            return None
    mode = int(found["mode"])
    return None if mode & _IS_FOLDER else mode
