"""The one door to the container engine: connects, asks, and turns the docker library's errors into ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from harness.errors import MachineError

if TYPE_CHECKING:
    import docker

# Sockets to try when DOCKER_HOST is not set, in this order.
DEFAULT_SOCKETS = ("/var/run/docker.sock",)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "amd64": "amd64"}
_HINT = 'start Docker, or run `eval "$(sandbox/engine.sh start && sandbox/engine.sh env)"` in a checkout'


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Errors of the docker library and its transport become MachineError (I_ENGINE); ``what`` says what was tried."""
    import docker.errors
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        explanation = str(getattr(error, "explanation", None) or error)
        raise MachineError(
            f"the container engine failed to {what}", code="I_ENGINE", hint=_HINT, detail=explanation
        ) from error


@dataclass(frozen=True, slots=True)
class Host:
    """What the engine's machine has. ``memory_bytes`` and ``cpus`` are its totals."""

    architecture: str
    memory_bytes: int
    cpus: int
    version: str
    cgroup_version: str


class LoadRefused(MachineError):
    """The engine answered, and would not load an archive. ``detail`` has its words, the archive's among them."""

    @property
    def for_want_of_space(self) -> bool:
        """Whether the machine was to blame: its disk, its quota or its memory."""
        said = self.detail.lower()
        return any(words in said for words in ("no space left", "quota exceeded", "cannot allocate", "input/output"))


class Engine:
    """A connected Docker engine. All methods raise MachineError (I_ENGINE) when it fails or goes away."""

    def __init__(self, client: docker.DockerClient, address: str) -> None:
        self._client = client
        self._host: Host | None = None
        self.address = address

    @property
    def api(self) -> Any:
        """The low-level client, for this room only."""
        return self._client.api

    @property
    def is_local(self) -> bool:
        """Whether the engine shares this machine's file system, as far as its address tells."""
        return self.address.startswith("unix:")

    def host(self) -> Host:
        """What the engine's machine has; asked once."""
        if self._host is None:
            with translated("describe its machine"):
                info = self.api.info()
            self._host = Host(
                architecture=_ARCHITECTURES.get(info["Architecture"], info["Architecture"]),
                memory_bytes=int(info["MemTotal"]),
                cpus=int(info["NCPU"]),
                version=str(info["ServerVersion"]),
                cgroup_version=str(info.get("CgroupVersion", "1")),
            )
        return self._host

    def inspect_image(self, name: str) -> dict[str, Any] | None:
        """What the engine knows of a local image, or None. Never looks on the network."""
        import docker.errors

        with translated(f"inspect the image {name}"):
            try:
                found: dict[str, Any] = self.api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
            except docker.errors.APIError as error:
                if error.status_code != 400:  # 400: no image can have this name
                    raise
                return None
        return found

    def image_id(self, name: str) -> str | None:
        """``sha256:…`` of a local image, or None."""
        found = self.inspect_image(name)
        return None if found is None else str(found["Id"])

    def load(self, archive: IO[bytes]) -> None:
        """Give the engine a docker-archive that has been checked. Raises LoadRefused when it does not like it."""
        with translated("load an image"):
            for line in self.api.load_image(archive):
                if "error" in line:
                    raise LoadRefused(
                        "the engine refused an image archive",
                        code="I_ENGINE",
                        hint="its log says why; free space for images if its disk is full",
                        detail=str(line["error"]),
                    )

    def tag(self, image_id: str, tag: str) -> None:
        """Give a local image a name."""
        repository, _, version = tag.partition(":")
        with translated(f"tag an image as {tag}"):
            self.api.tag(image_id, repository, version or "latest")

    def close(self) -> None:
        self._client.close()


def connect(timeout_s: float = 120.0) -> Engine:
    """The engine at DOCKER_HOST, else at the default socket.

    Raises MachineError (I_ENGINE) when none answers.
    """
    import docker
    import docker.errors
    import requests

    address = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKETS[0]}"
    try:
        client = docker.DockerClient.from_env(
            timeout=int(timeout_s), environment={**os.environ, "DOCKER_HOST": address}
        )
        client.ping()
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError, ValueError) as error:
        raise MachineError(
            f"no container engine answers at {address}", code="I_ENGINE", hint=_HINT, detail=str(error)
        ) from error
    return Engine(client, address)
