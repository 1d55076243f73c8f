"""What an image may ask for, read from the engine's own description of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.documents.codes import finding
from harness.documents.finding import Finding

# Variables that make the dynamic loader run somebody's code inside the engine's own start-up steps (GPU hooks).
LOADER_VARIABLES = frozenset({"LD_PRELOAD", "LD_AUDIT", "LD_PROFILE", "LD_ORIGIN_PATH", "GCONV_PATH"})
MAX_LAYERS = 127
MAX_IMAGE_BYTES = 96 * 1024**3


@dataclass(frozen=True, slots=True)
class Image:
    """A local image, by id. ``entrypoint`` and ``command`` are its own and may be empty."""

    id: str
    architecture: str
    bytes: int
    layers: int
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    volumes: tuple[str, ...]
    environment: tuple[str, ...]
    user: str = ""


def image_from(inspected: dict[str, Any]) -> Image:
    """The engine's description of an image as our value."""
    config = inspected.get("Config") or {}
    return Image(
        id=str(inspected["Id"]),
        architecture=str(inspected.get("Architecture", "")),
        bytes=int(inspected.get("Size", 0)),
        layers=len((inspected.get("RootFS") or {}).get("Layers") or []),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        volumes=tuple(sorted(config.get("Volumes") or {})),
        environment=tuple(config.get("Env") or ()),
        user=str(config.get("User") or ""),
    )


def check_image(image: Image, architecture: str, *, max_bytes: int = MAX_IMAGE_BYTES) -> list[Finding]:
    """Errors when ``image`` may not run on a machine of ``architecture``, and warnings; empty when all is well."""
    found = []
    if image.volumes:
        found.append(finding("E_IMG_VOLUME", volume=ascii(image.volumes[0])))
    loader = sorted({entry.partition("=")[0] for entry in image.environment} & LOADER_VARIABLES)
    if loader:
        found.append(finding("E_IMG_ENV", name=loader[0]))
    if image.architecture != architecture:
        found.append(finding("E_IMG_ARCH", wanted=architecture, found=ascii(image.architecture)))
    if image.bytes > max_bytes or image.layers > MAX_LAYERS:
        found.append(finding("E_IMG_SIZE", bytes=image.bytes, layers=image.layers, cap=max_bytes))
    if image.user.partition(":")[0] in ("0", "root"):
        found.append(finding("W_IMG_USER"))
    return found


def choose_command(image: Image, run_sh_mode: int | None) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """ENTRYPOINT if set; else /run.sh if it exists (``run_sh_mode`` is its file mode); else CMD; else None.

    Returns (entrypoint, command), both explicit.
    """
    if image.entrypoint:
        return image.entrypoint, image.command
    if run_sh_mode is not None:
        # A script that nobody made executable is still meant to run.
        return (("/run.sh",) if run_sh_mode & 0o111 else ("/bin/sh", "/run.sh")), ()
    if image.command:
        return image.command[:1], image.command[1:]
    return None
