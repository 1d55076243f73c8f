"""The JSONL as a folder, links, a pipe, a socket, a device: refused without blocking."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import Random

import made

PATH = "zh/task2.jsonl"


def make(subjects: Path, random: Random) -> None:
    for name in ("folder", "link", "dangling", "loop", "hard", "pipe", "socket"):
        made.write(subjects / name, made.submission())
        (subjects / name / PATH).unlink()
    bait = subjects.parent / "bait/secret.txt"
    (subjects / "folder" / PATH).mkdir()
    (subjects / "link" / PATH).symlink_to(bait)
    (subjects / "dangling" / PATH).symlink_to("nowhere")
    (subjects / "loop" / PATH).symlink_to("task2.jsonl")
    (subjects / "hard" / PATH).hardlink_to(bait)
    os.mkfifo(subjects / "pipe" / PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        descriptor = os.open(subjects / "socket/zh", os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{descriptor}/task2.jsonl")  # paths of sockets must be short
        os.close(descriptor)
