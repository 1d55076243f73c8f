"""TCP, UDP, names, ICMP, version 6, the cloud's metadata, the engine's socket: nothing answers."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

NETWORK = """
socket.setdefaulttimeout(2)
unreachable = ("ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL")
for host in ("192.0.2.1", "169.254.169.254", "172.17.0.1"):
    attempt(f"TCP to {host}", lambda: socket.create_connection((host, 80)), *unreachable)
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    attempt(f"UDP to {host}", lambda: datagram.sendto(b"x", (host, 53)), *unreachable)
attempt("version 6", lambda: socket.create_connection(("2001:db8::1", 80)), *unreachable)
attempt("ICMP", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1), "EPERM", "EACCES")
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"):
    attempt(path, lambda: socket.socket(socket.AF_UNIX).connect(path), "ENOENT")
names = os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else []
require("no interface but lo", set(names) <= {"lo"})
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "network", NETWORK)
