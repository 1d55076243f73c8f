"""AF_VSOCK, AF_ALG, AF_PACKET, netlink and the rest: refused by the filter, also as pairs."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

SOCKETS = """
for family in set(range(1, 46)) - {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}:
    for kind in (1, 2, 3, 5):
        attempt(f"family {family} type {kind}", lambda: socket.socket(family, kind), "EPERM", "EAFNOSUPPORT")
pair = (ctypes.c_int * 2)()
for family in set(range(1, 46)) - {socket.AF_UNIX}:
    attempt(f"pair of {family}", call(53, family, 1, 0, pair), "EPERM", "EAFNOSUPPORT")
for number in (425, 426, 427):
    attempt(f"io_uring {number}", call(number, 1, 0, 0, 0, 0), "EPERM", "ENOSYS")
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "sockets", SOCKETS)
