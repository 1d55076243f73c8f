"""A link, a hard link to the bait, a pipe, a socket, a device: none is opened."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait/secret.txt"
    real = subjects.parent / "bait/real.wav"
    real.write_bytes(made.wav())
    (subjects / "link").symlink_to(real)
    (subjects / "link-to-secret").symlink_to(bait)
    (subjects / "dangling").symlink_to("nowhere")
    (subjects / "device-link").symlink_to("/dev/zero")
    (subjects / "hard").hardlink_to(real)
    os.mkfifo(subjects / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        descriptor = os.open(subjects, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{descriptor}/socket")  # paths of sockets must be short
        os.close(descriptor)
