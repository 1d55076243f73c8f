"""What the hostile team tries against the machine. Every attempt is printed with what came of it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

TIMEOUT_S = 2.0


def _tcp(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=TIMEOUT_S).close()


def _unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(TIMEOUT_S)
        client.connect(path)


def _write(path: str) -> None:
    Path(path).write_text("hostile was here\n")


def _overwrite_input(source: Path) -> None:
    with next(source.rglob("*.jsonl")).open("a") as stream:
        stream.write("{}\n")


def everything(source: Path) -> list[str]:
    """A line an attempt: its name and `SUCCEEDED`, or the name of the error that stopped it."""
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("tcp 1.1.1.1:443", lambda: _tcp("1.1.1.1", 443)),
        ("tcp 169.254.169.254:80 (cloud metadata)", lambda: _tcp("169.254.169.254", 80)),
        ("dns example.org", lambda: socket.getaddrinfo("example.org", 443)),
        ("unix /var/run/docker.sock", lambda: _unix("/var/run/docker.sock")),
        ("vsock 2:1024", lambda: socket.socket(40, socket.SOCK_STREAM).close()),
        ("write /owned", lambda: _write("/owned")),
        ("write /etc/owned", lambda: _write("/etc/owned")),
        ("write /input/owned", lambda: _write(str(source / "owned"))),
        ("append to the inputs", lambda: _overwrite_input(source)),
        ("read the docker secrets", lambda: list(Path("/run/secrets").iterdir())),
    ]
    return [f"{name}: {_try(attempt)}" for name, attempt in attempts]


def _try(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return f"refused ({type(error).__name__}: {error.strerror or error})"
    return "SUCCEEDED"


def plant_links(target: Path, wav: Path) -> None:
    """A link to a host file where a WAV is expected, another beside the results, and a result nobody asked for."""
    with contextlib.suppress(OSError):
        wav.unlink(missing_ok=True)
        wav.symlink_to("/etc/passwd")
    with contextlib.suppress(OSError):
        (target / "shadow").symlink_to("/etc/shadow")
    with contextlib.suppress(OSError):
        (target / "scores.json").write_text('{"team": "hostile", "final": 5.0, "rank": 1}\n')
