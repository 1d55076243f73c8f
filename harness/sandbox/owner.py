"""Whose a container or a folder is: the process that made it, named so that a later one can tell whether it works."""

from __future__ import annotations

import os
import platform
from enum import Enum
from pathlib import Path

OWNER_LABEL = "humdial.owner"
_PROCESSES, _MACHINE = Path("/proc"), Path("/etc/machine-id")


class Owner(Enum):
    """``UNSEEN``: nobody here can tell, for it is on another machine, in another container or another user's, or has
    no name."""

    WORKS = "works"
    GONE = "gone"
    UNSEEN = "unseen"


def this_process() -> str:
    """The label of what this process makes: machine, its boot, namespaces, the process's number and its start."""
    number, started = _stat("self") or ("", "")
    return ".".join((platform.node(), _read(_MACHINE), boot_id(), _namespaces(), number, started))


def owner_of(label: str) -> Owner:
    """What became of the process that ``label`` names."""
    fields = label.rsplit(".", 5)  # a machine's name may hold dots
    if len(fields) != 6 or not fields[5]:
        return Owner.UNSEEN
    node, machine, boot, namespaces, number, started = fields
    if (node, machine) != (platform.node(), _read(_MACHINE)) or not number.isdecimal():
        return Owner.UNSEEN
    if boot != boot_id():  # nothing outlives a boot; of machines without an id two may have the same name
        return Owner.GONE if machine else Owner.UNSEEN
    if namespaces != _namespaces():
        return Owner.UNSEEN
    found = _stat(number)
    if found is not None:  # a number is given again: the moment of the start tells two processes apart
        return Owner.WORKS if found[1] == started else Owner.GONE
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return Owner.GONE
    except (OSError, OverflowError):
        pass
    return Owner.UNSEEN  # it is there, and hidden from this user


def boot_id() -> str:
    """The kernel's name of this boot of this machine, empty when it gives none."""
    return _read(_PROCESSES / "sys/kernel/random/boot_id")


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _namespaces() -> str:
    """Those in which a process's number, and the time of its start, mean the same."""
    found = []
    for name in ("pid", "time"):
        try:
            found.append(str((_PROCESSES / "self/ns" / name).stat().st_ino))
        except OSError:
            found.append("")
    return "-".join(found)


def _stat(process: str) -> tuple[str, str] | None:
    """A process's number and when it began (ticks since the boot: fields 1 and 22 of proc_pid_stat(5)), empty when it
    has ended and nobody has asked how; None when it cannot be seen."""
    try:
        text = (_PROCESSES / process / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # a name may hold blanks and brackets
    return text.split(" ", 1)[0], "" if fields[0] in ("Z", "X") else fields[19]
