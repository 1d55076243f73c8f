"""Whose a container or a folder is: the process that made it, named so that a later one can tell whether it works."""

from __future__ import annotations

import os
import platform
from enum import Enum
from pathlib import Path

OWNER_LABEL = "humdial.owner"
_PROCESSES = Path("/proc")


class Owner(Enum):
    """``UNSEEN``: on another machine or in another container, so that nobody here can tell."""

    WORKS = "works"
    GONE = "gone"
    UNSEEN = "unseen"


def this_process() -> str:
    """The label of what this process makes: machine, boot, process namespace, number and its start."""
    return ".".join((platform.node(), boot_id(), _namespace(), str(os.getpid()), _started(os.getpid()) or ""))


def owner_of(label: str) -> Owner:
    """What became of the process that ``label`` names. No label is that of nobody."""
    if not label:
        return Owner.GONE
    fields = label.rsplit(".", 4)  # a machine's name may hold dots
    if len(fields) != 5 or fields[0] != platform.node():
        return Owner.UNSEEN
    _, boot, namespace, process, started = fields
    if boot != boot_id():  # nothing outlives a boot
        return Owner.GONE
    if namespace != _namespace() or not process.isdecimal():
        return Owner.UNSEEN
    # A number is given again: the moment of the start tells two processes apart.
    return Owner.WORKS if _started(int(process)) == started else Owner.GONE


def boot_id() -> str:
    """The kernel's name of this boot of this machine, empty when it gives none."""
    try:
        return (_PROCESSES / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str((_PROCESSES / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _started(process: int) -> str | None:
    """When a process began (ticks since the boot: field 22 of proc_pid_stat(5)), None when it has ended."""
    try:
        text = (_PROCESSES / str(process) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # a name may hold blanks and brackets
    return None if fields[0] in ("Z", "X") else fields[19]
