"""Something answers at the engine's socket that is no engine, or no longer one: our side fails, and says so in time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox_inputs import Inputs

from harness.challenge.spec import Challenge, RunLimits
from harness.errors import MachineError
from harness.sandbox import connect, run_team_image

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
VERSION = json.dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Components": []}).encode()
INFO = {"Architecture": "x86_64", "MemTotal": 1 << 34, "NCPU": 2, "ServerVersion": "20.10.24", "Runtimes": {"runc": {}}}


def answer(body: bytes) -> bytes:
    return JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body


@contextmanager
def stub(reply: Callable[[str], bytes | None], folder: Path) -> Iterator[str]:
    """A server on a unix socket. ``reply`` gets the path of a request and gives the bytes to send; None: never."""
    path = folder / "s"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(16)
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            request = peer.recv(65536)
            data = reply(request.split(b" ")[1].decode() if b" " in request else "")
            if data is None:
                kept.append(peer)
                continue
            peer.sendall(data)
            peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"unix://{path}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for peer in kept:
            peer.close()


def an_engine(**other: bytes | None) -> Callable[[str], bytes | None]:
    """Sound until it is asked for one of ``other`` (a word of the path)."""

    def reply(path: str) -> bytes | None:
        for word, data in other.items():
            if word in path:
                return data
        if "_ping" in path:
            return answer(b"OK")
        if "version" in path:
            return answer(VERSION)
        if "info" in path:
            return answer(json.dumps(INFO).encode())
        return JSON.replace(b"200 OK", b"404 Not Found") + b'Content-Length: 15\r\n\r\n{"message":"x"}'

    return reply


GARBAGE: dict[str, bytes | None] = {
    "no HTTP": b"\x00\xff\xfe garbage\r\n\r\n",
    "no JSON": answer(b"<html>"),
    "half JSON": answer(b'{"Architecture": "x86'),
    "not UTF-8": answer(b'{"Architecture": "\xff\xfe"}'),
    "another shape": answer(b"[]"),
    "a number": answer(b"7"),
    "null": answer(b"null"),
    "nothing in it": answer(b"{}"),
    "cut in the middle": JSON + b"Content-Length: 1000\r\n\r\n{",
    "closed at once": b"",
    "an error": JSON.replace(b"200 OK", b"500 Oh") + b'Content-Length: 15\r\n\r\n{"message":"x"}',
    "silence": None,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place with a short name, as a socket needs."""
    path = Path(f"/tmp/hb-{os.getpid()}-{time.monotonic_ns() % 10**9}")
    path.mkdir()
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("asked", ["info", "images", "version"])
def test_what_is_no_engine_is_our_side(
    kind: str,
    asked: str,
    folder: Path,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stub(an_engine(**{asked: GARBAGE[kind]}), folder) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        started = time.monotonic()
        with pytest.raises(MachineError) as caught:
            engine = connect(timeout_s=1)
            run_team_image(
                engine, "team:1", inputs.dialogues, inputs.root, folder / "out", challenge, small_limits, seed="s"
            )
        assert (caught.value.code, caught.value.exit_code) == ("I_ENGINE", 3)
        assert str(caught.value).isprintable()
        assert time.monotonic() - started < 30


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_about_a_container_is_our_side(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.sandbox.container import _inspect

    with stub(an_engine(containers=GARBAGE[kind]), folder) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        engine = connect(timeout_s=1)
        with pytest.raises(MachineError) as caught:
            _inspect(engine, "a")
        assert caught.value.code == "I_ENGINE"


@pytest.mark.engine
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dockerd", path="/usr/sbin:/usr/bin") is None, reason="needs root"
)
@pytest.mark.parametrize("kind", [signal.SIGTERM])
def test_an_engine_that_restarts_in_the_middle_is_not_the_teams_fault(
    base_image: str, kind: signal.Signals, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own answer after the restart would be an exit code; ours does not depend on it. A real engine of our own."""
    from test_container import profile_of

    from harness.challenge.load import load_challenge
    from harness.sandbox import run_container
    from harness.sandbox.image_archive import ImageConfig, Layer, write_image
    from harness.sandbox.probe_program import Program

    command = [
        "unshare", "-n", shutil.which("dockerd", path="/usr/sbin:/usr/bin") or "dockerd", "--host", f"unix://{folder}/s",
        "--data-root", f"{folder}/data", "--exec-root", f"{folder}/x", "--pidfile", f"{folder}/pid",
        "--iptables=false", "--ip6tables=false", "--bridge=none", "--shutdown-timeout", "1", "--log-level", "error",
    ]  # fmt: skip
    (folder / "daemon.json").write_text("{}")
    command += ["--config-file", f"{folder}/daemon.json"]

    def start() -> subprocess.Popen[bytes]:
        (folder / "pid").unlink(missing_ok=True)
        daemon = subprocess.Popen(
            command, stdout=(folder / "log").open("ab"), stderr=subprocess.STDOUT, start_new_session=True
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                connect(timeout_s=5).close()
                return daemon
            except MachineError:
                time.sleep(0.1)
        raise AssertionError("the engine did not start")

    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/s")
    daemons = [start()]
    try:
        program = Program(entries=8)
        program.add(34)  # pause
        archive = folder / "image.tar"
        image = write_image(
            None, [Layer.from_files({"p": (program.elf(), 0o755)})], ImageConfig(entrypoint=("/p",)), archive
        )
        engine = connect(timeout_s=20)
        with archive.open("rb") as stream:
            engine.load(stream)
        limits = profile_of(load_challenge().run_limits, "").limits
        small = replace(limits, memory_bytes=1 << 28, cpus=1.0, pids=64, stop_grace_s=1)
        profile = replace(profile_of(small, ""), entrypoint=("/p",), command=())
        seen = []

        def restart() -> None:
            if not seen:
                seen.append(1)
                daemons[0].send_signal(kind)
                daemons[0].wait(60)
                daemons.append(start())

        with pytest.raises(MachineError) as caught:
            run_container(engine, profile, image, deadline_s=60, watch=restart)
        assert caught.value.code == "I_ENGINE"
        assert seen
        assert "again" in str(caught.value) or "failed" in str(caught.value)
        left = connect(timeout_s=20)
        assert left.api.containers(all=True, filters={"label": f"humdial.nonce={profile.nonce}"}) == []
    finally:
        for daemon in daemons:
            daemon.terminate()
            daemon.wait(60)
