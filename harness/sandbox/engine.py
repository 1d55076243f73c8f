"""The one door to the container engine: connects, asks, and turns the docker library's errors into ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from harness.errors import MachineError
from harness.sandbox.site import Site, site_settings

if TYPE_CHECKING:
    import docker

# Sockets to try when DOCKER_HOST is not set, in this order.
DEFAULT_SOCKETS = ("/var/run/docker.sock",)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "amd64": "amd64"}
# What the library meets when something answers that is no engine: nothing, no JSON, or JSON of another shape.
_ODD_ANSWERS = (OSError, ValueError, LookupError, TypeError, AttributeError)
_HINT = 'start Docker, or run `eval "$(sandbox/engine.sh start && sandbox/engine.sh env)"` in a checkout'


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Errors of the docker library and its transport become MachineError (I_ENGINE); ``what`` says what was tried."""
    import docker.errors
    import requests
    import urllib3.exceptions

    try:
        yield
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        *_ODD_ANSWERS,
    ) as error:
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

    def __init__(self, client: docker.DockerClient, address: str, site: Site) -> None:
        self._client = client
        self._info: dict[str, Any] | None = None
        self.address = address
        self.site = site

    @property
    def api(self) -> Any:
        """The low-level client, for this room only."""
        return self._client.api

    @property
    def is_local(self) -> bool:
        """Whether the engine shares this machine's file system, as far as its address tells."""
        return self.address.startswith("unix:")

    def info(self) -> dict[str, Any]:
        """The engine's description of itself and its machine; asked once."""
        if self._info is None:
            with translated("describe its machine"):
                found: dict[str, Any] = self.api.info()
                missing = [key for key in ("Architecture", "MemTotal", "NCPU", "ServerVersion") if key not in found]
                if missing:
                    raise ValueError(f"its description lacks {', '.join(missing)}")
            self._info = found
        return self._info

    def host(self) -> Host:
        """What the engine's machine has."""
        info = self.info()
        return Host(
            architecture=_ARCHITECTURES.get(info["Architecture"], info["Architecture"]),
            memory_bytes=int(info["MemTotal"]),
            cpus=int(info["NCPU"]),
            version=str(info["ServerVersion"]),
            cgroup_version=str(info.get("CgroupVersion", "1")),
        )

    def versions(self) -> dict[str, str]:
        """Versions by the names of floors.py, of what this engine uses: engine, runc (unless gVisor runs), cgroup."""
        with translated("tell its versions"):
            answer = self.api.version()
            parts = {str(part["Name"]): str(part["Version"]) for part in answer.get("Components") or []}
        found = {"engine": self.host().version, "cgroup": self.host().cgroup_version}
        if "runc" in parts and not self.is_gvisor(self.runtime()):
            found["runc"] = parts["runc"]
        return found

    def runtime(self) -> str:
        """The engine's name of the runtime that the site chose, else of its own default.

        Raises MachineError (I_RUNTIME) when the engine does not have it.
        """
        info = self.info()
        chosen = self.site.runtime or str(info.get("DefaultRuntime") or "runc")
        known = info.get("Runtimes") or {}
        if chosen not in known:
            raise MachineError(
                f"the container engine has no runtime {chosen!a}; it has {', '.join(sorted(known)) or 'none'}",
                code="I_RUNTIME",
                hint="add it to the engine's configuration (docs/how-to/sandbox-tiers.md), or choose another runtime",
            )
        return chosen

    def is_gvisor(self, runtime: str) -> bool:
        """Whether ``runtime`` is gVisor, which answers system calls by itself instead of the host's kernel."""
        known = (self.info().get("Runtimes") or {}).get(runtime) or {}
        path = str(known.get("path") or "")
        return runtime == "runsc" or path.rpartition("/")[2] == "runsc" or ".runsc." in str(known.get("runtimeType"))

    def inspect_image(self, name: str) -> dict[str, Any] | None:
        """What the engine knows of a local image, or None. Never looks on the network."""
        import docker.errors

        with translated(f"inspect the image {name}"):
            try:
                found: dict[str, Any] = self.api.inspect_image(name)
                if not isinstance(found["Id"], str):
                    raise TypeError("its description of an image is of another shape")
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


def connect(timeout_s: float = 120.0, *, runtime: str | None = None) -> Engine:
    """The engine at DOCKER_HOST, else at the default socket. ``runtime`` goes before what the site chose.

    Raises MachineError (I_ENGINE) when none answers, UsageError (E_CONFIG) for a wrong site file.
    """
    import docker
    import docker.errors
    import requests

    site = site_settings(runtime)
    address = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKETS[0]}"
    try:
        client = docker.DockerClient.from_env(
            timeout=int(timeout_s), environment={**os.environ, "DOCKER_HOST": address}
        )
        client.ping()
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        *_ODD_ANSWERS,
    ) as error:
        raise MachineError(
            f"no container engine answers at {address}", code="I_ENGINE", hint=_HINT, detail=str(error)
        ) from error
    return Engine(client, address, site)
