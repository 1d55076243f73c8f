"""The root, /etc, settings of the machine, control groups: read-only. The settings are compared afterwards."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

WRITES = """
places = (
    "/x", "/etc/x", "/usr/x", "/main.py", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory",
    "/proc/sysrq-trigger", "/sys/x", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/x", "/sys/fs/cgroup/memory/tasks",
    "/sys/fs/cgroup/release_agent", "/dev/x",
)
for place in places:
    attempt(place, lambda: open(place, "w"), "EROFS", "EPERM", "EACCES", "ENOENT")
attempt("a control group", lambda: os.mkdir("/sys/fs/cgroup/x"), "EROFS", "EPERM", "EACCES", "ENOENT")
for place in ("/tmp/x", "/dev/shm/x", "/output/zh/task2.jsonl"):
    open(place, "a").close()
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "writes", WRITES)
