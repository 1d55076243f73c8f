"""keyctl, bpf, perf, userfaultfd, name spaces, mounts, other processes' memory, file handles, secret memory."""

from __future__ import annotations

from pathlib import Path
from random import Random

from programs import program

CALLS = """
calls = {
    "keyctl": (250, 0, -3, 1), "add_key": (248, 0, 0, 0, 0, -3), "request_key": (249, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 1),
    "unshare user": (272, 0x10000000),
    "unshare all": (272, 0x7E020000), "mount": (165, 0, b"/tmp", b"tmpfs", 0, 0), "umount2": (166, b"/tmp", 0),
    "open_by_handle_at": (304, -100, 0, 0), "name_to_handle_at": (303, -100, b"/", 0, 0, 0),
    "ptrace": (101, 16, 1, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "memfd_secret": (447, 0),
    "setns": (308, 0, 0),
    "pivot_root": (155, 0, 0), "kexec_load": (246, 0, 0, 0, 0), "init_module": (175, 0, 0, 0),
    "syslog": (103, 3, 0, 0), "setuid": (105, 0),
    "chroot": (161, b"/tmp"), "sethostname": (170, b"x", 1), "clock_settime": (227, 0, 0), "fsopen": (430, b"tmpfs", 0),
}
for name, arguments in calls.items():
    attempt(name, call(*arguments), "EPERM", "ENOSYS", "EINVAL" if name == "setuid" else "EPERM")
child = subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 41, 40, 1, 0) >= 0"
    " and print('ESCAPED')"])
require("a call of the x32 kind", child.returncode in (0, -signal.SIGSYS))
"""


def make(subjects: Path, random: Random) -> None:
    program(subjects, "calls", CALLS)
