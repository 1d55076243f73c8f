"""No HTTP, no JSON, half an answer, an error, silence: exit 3, and no team is blamed."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from pathlib import Path
from random import Random

import pytest
from attack_case import Box, Seen
from attack_runs import limits_of, try_image

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "noise": b"\x00\xff\xfe noise\r\n\r\n",
    "html": HEAD + b"Content-Length: 6\r\n\r\n<html>",
    "half": HEAD + b"Content-Length: 900\r\n\r\n{",
    "list": HEAD + b"Content-Length: 2\r\n\r\n[]",
    "latin": HEAD + b'Content-Length: 5\r\n\r\n{"\xff"',
    "error": HEAD.replace(b"200 OK", b"500 Oh") + b"Content-Length: 2\r\n\r\n{}",
    "closed": b"",
}


def make(subjects: Path, random: Random) -> None:
    for name, data in ANSWERS.items():
        (subjects / name).write_bytes(data)


def run(box: Box, request: pytest.FixtureRequest) -> dict[str, Seen]:
    seen = {}
    for subject in sorted(box.subjects.iterdir()):
        short = Path(f"/tmp/ha-{os.getpid()}")  # a socket's path must be short
        short.mkdir()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(short / "s"))
            server.listen(8)
            threading.Thread(target=_serve, args=(server, subject.read_bytes()), daemon=True).start()
            out = box.out / subject.name
            done = try_image(box, "team:1", out, limits_of(box), DOCKER_HOST=f"unix://{short}/s")
            server.shutdown(socket.SHUT_RDWR)
        shutil.rmtree(short)
        assert done.exit == 3, done.stderr
        assert not (out / "run.json").exists()
        seen[subject.name] = Seen("INFRA", frozenset({"I_ENGINE"} if b"[I_ENGINE]" in done.stderr else ()), {})
    return seen


def _serve(server: socket.socket, data: bytes) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            peer.recv(65536)
            peer.sendall(data)
