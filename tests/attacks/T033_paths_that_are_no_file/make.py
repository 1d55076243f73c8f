"""What is handed in is a link, a pipe, a socket or a device."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import Random

import made


def make(subjects: Path, random: Random) -> None:
    real = subjects.parent / "bait/real.zip"
    real.write_bytes(made.zipped(made.submission()))
    (subjects / "link.zip").symlink_to(real)
    (subjects / "link-to-folder").symlink_to(real.parent)
    (subjects / "dangling.zip").symlink_to("nowhere")
    (subjects / "loop.zip").symlink_to("loop.zip")
    (subjects / "zero.zip").symlink_to("/dev/zero")
    os.mkfifo(subjects / "pipe.zip")
    with socket.socket(socket.AF_UNIX) as listener:
        descriptor = os.open(subjects, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{descriptor}/socket.zip")  # paths of sockets must be short
        os.close(descriptor)
