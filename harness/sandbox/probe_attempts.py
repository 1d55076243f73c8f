"""What the preflight's probe tries, and what must come of each attempt. Nothing here is started.

An attempt to get out counts as refused only by an answer that says so (EPERM, EACCES, EROFS …) or that says that there
is nothing to reach (no route, no such file). A kernel that lacks the call answers ENOSYS or EAFNOSUPPORT: that is
accepted and told apart, because an update of the kernel would change it. Any other answer means that the attempt got
further than it may.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.challenge.spec import RunLimits
from harness.sandbox.probe_program import Buffer, Operation, Program, Returned

ABSTRACT_NAME = "humdial-preflight"  # an abstract socket that the preflight listens on outside
RESULT = "result"  # the file in /output that the probe writes
SIGSYS, SIGSEGV = 31, 11
BLOCKED = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
ABSENT = frozenset({errno.ENOSYS, errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPROTONOSUPPORT, errno.EOPNOTSUPP})
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENXIO})
_FULL = frozenset({errno.ENOSPC})
_FAMILIES = 46  # socket families known to Linux
_OURS = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6})
_RESULT_FILE, _NEXT = 3, 4  # descriptors: the first that the program opens, and every other one
_NONBLOCK = 0o4000
_SIOCGIFNAME = 0x8910
_AT_FDCWD = -100
_WRONLY_CREAT = 0o101

# Calls that no container may make, by name: number and arguments with which they would do something.
_CALLS: Mapping[str, tuple[int, ...]] = {
    "io_uring_setup": (425, 1, 0), "io_uring_enter": (426, 0), "io_uring_register": (427, 0),
    "keyctl": (250, 0, -3, 1), "add_key": (248, 0, 0, 0, 0, -3), "request_key": (249, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 1),
    "ptrace": (101, 2, 1, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "process_vm_writev": (311, 1, 0, 0, 0, 0, 0), "kcmp": (312, 1, 1, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0),
    "unshare a user name space": (272, 0x10000000), "unshare the rest": (272, 0x6E020000), "setns": (308, 0, 0),
    "umount2": (166, 0, 0), "pivot_root": (155, 0, 0), "move_mount": (429, 0, 0, 0, 0, 0),
    "open_tree": (428, -100, 0, 1), "fsopen": (430, 0, 0), "mount_setattr": (442, 0, 0, 0, 0, 0),
    "name_to_handle_at": (303, -100, 0, 0, 0, 0), "open_by_handle_at": (304, -100, 0, 0), "memfd_secret": (447, 0),
    "kexec_load": (246, 0, 0, 0, 0), "init_module": (175, 0, 0, 0), "finit_module": (313, 0, 0, 0),
    "delete_module": (176, 0, 0), "swapon": (167, 0, 0), "reboot": (169, 0, 0, 0, 0), "syslog": (103, 3, 0, 0),
    "acct": (163, 0), "quotactl": (179, 0, 0, 0, 0), "settimeofday": (164, 0, 0), "clock_settime": (227, 0, 0),
    "sethostname": (170, 0, 0), "setdomainname": (171, 0, 0), "iopl": (172, 3), "ioperm": (173, 0, 1, 1),
    "personality": (135, 0x0040000), "mq_open": (240, 0, 0o102, 0o600, 0), "msgget": (68, 0, 0o1600),
    "vmsplice": (278, 1, 0, 0, 0), "fanotify_init": (300, 0, 0), "migrate_pages": (256, 0, 0, 0, 0),
    "setuid 0": (105, 0), "setgid 0": (106, 0),
}  # fmt: skip
_PLACES = (
    "/x", "/etc/x", "/probe", "/input/x", "/input/file", "/dev/x", "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger",
    "/sys/x", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/x", "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/memory/tasks", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/release_agent",
)  # fmt: skip
_DEVICES = (
    "/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/loop0", "/dev/tun",
    "/dev/net/tun", "/dev/vsock", "/dev/vhost-vsock",
)  # fmt: skip
_GPU_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dri/card0")
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock")
LOCKED = "/input/file"
_EXCLUSIVE, _AT_ONCE = 2, 4  # flock's
STATUS, ENVIRONMENT = "/proc/self/status", "/proc/self/environ"
# Of the host; the probe's image holds none of them.
_HOSTS_OWN = (
    "/etc/passwd", "/etc/shadow", "/etc/machine-id", "/etc/docker", "/root", "/home", "/usr/bin/env", "/var/lib/docker",
    "/input/../../etc/passwd", "/output/../canary", "/input/../canary", "/proc/1/root/etc/passwd",
)  # fmt: skip
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")

Want = Literal["refused", "works", "ended", "counted"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of the probe's table and what must come of it. ``also`` are error numbers that count as refused."""

    name: str
    index: int
    want: Want
    also: frozenset[int] = frozenset()

    def verdict(self, returned: Returned, pids: int) -> Literal["held", "absent", "escaped"]:
        """What the answer says: it held, the kernel lacks the call, or the attempt got further than it may."""
        if self.want == "works":
            return "held" if returned.result >= 0 else "escaped"
        if self.want == "counted":
            return "held" if returned.result < 0 and 0 < returned.count < pids else "escaped"
        if self.want == "ended":
            return _of_child(returned.result)
        number = -returned.result
        if number in BLOCKED | self.also:
            return "held"
        return "absent" if number in ABSENT else "escaped"


@dataclass(slots=True)
class Probe:
    """The program, its attempts, and where the answers to questions lie."""

    program: Program = field(default_factory=Program)
    attempts: list[Attempt] = field(default_factory=list)
    files: dict[str, Buffer] = field(default_factory=dict)
    namespaces: dict[str, Buffer] = field(default_factory=dict)
    output_status: Buffer | None = None


def build_probe(limits: RunLimits, *, forks: bool, gpu: bool = False, capped: bool = True) -> Probe:
    """The whole probe for a container held to ``limits``, or with ``forks`` only the attempt at too many processes.
    With ``gpu`` the container has been given one, so its devices are no escape; ``capped`` says whether /output has a
    cap of its own.

    The kernel gives the lowest free descriptor, so each attempt closes what it may have opened.
    """
    probe = Probe()
    probe.program.add(257, _AT_FDCWD, probe.program.text(f"/output/{RESULT}"), _WRONLY_CREAT, 0o600)
    if forks:
        _forks(probe, limits)
        _write_down(probe)
        return probe
    # First, so that a probe that cannot do what a program must be able to do is not taken for a tight sandbox.
    _works(probe, "a unix socket", 41, socket.AF_UNIX, 1, 0)
    _close(probe, _NEXT)
    _network(probe)
    _writes(probe, limits, gpu=gpu, capped=capped)
    _questions(probe)
    _calls(probe)  # after the questions: one that gets through would change the answers
    _write_down(probe)
    _take_all_memory(probe, limits)
    return probe


def _try(probe: Probe, name: str, number: int, *arguments: int, also: frozenset[int] = frozenset()) -> None:
    probe.attempts.append(Attempt(name, probe.program.add(number, *arguments), "refused", also))


def _works(probe: Probe, name: str, number: int, *arguments: int) -> None:
    probe.attempts.append(Attempt(name, probe.program.add(number, *arguments), "works"))


def _close(probe: Probe, *descriptors: int) -> None:
    for descriptor in descriptors:
        probe.program.add(3, descriptor)


def _network(probe: Probe) -> None:
    program = probe.program
    pair = program.room(8)
    for family in range(1, _FAMILIES):
        for sort in () if family in _OURS else (1, 2, 3, 5):
            _try(probe, f"socket family {family} type {sort}", 41, family, sort, 0)
            _close(probe, _NEXT)
        if family != socket.AF_UNIX:
            _try(probe, f"socketpair family {family}", 53, family, 1, 0, pair.address, also=frozenset({errno.EINVAL}))
            _close(probe, _NEXT, _NEXT + 1)
    _try(probe, "a raw socket", 41, socket.AF_INET, 3, 1)
    _try(probe, "a raw socket of version 6", 41, socket.AF_INET6, 3, 58)
    for host, address in _addresses():
        family = struct.unpack_from("<H", address)[0]
        for kind, sort in (("TCP", 1), ("UDP", 2)):
            target = program.data(address)
            program.add(41, family, sort | _NONBLOCK, 0)
            _try(probe, f"{kind} to {host}", 42, _NEXT, target.address, target.size, also=_NO_ROUTE | {errno.EBADF})
            _close(probe, _NEXT)
    program.add(41, socket.AF_INET, 2, 0)
    for index in range(2, 9):  # 1 is lo
        request = program.data(bytes(16) + struct.pack("<I", index) + bytes(20))
        _try(
            probe,
            f"network interface {index}",
            16,
            _NEXT,
            _SIOCGIFNAME,
            request.address,
            also=frozenset({errno.ENODEV}),
        )
    _close(probe, _NEXT)
    for name in _SOCKETS:
        _connect_unix(probe, name, name.encode() + b"\0", _NOTHING_THERE)
    # Refused: the name is another network name space's, so nobody listens on it in this one.
    _connect_unix(probe, "an abstract socket outside", b"\0" + ABSTRACT_NAME.encode(), frozenset({errno.ECONNREFUSED}))


def _addresses() -> Iterator[tuple[str, bytes]]:
    for host, port in (("192.0.2.1", 80), ("169.254.169.254", 80), ("172.17.0.1", 2375), ("192.0.2.53", 53)):
        yield host, struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)
    for host in ("2001:db8::1", "2001:db8::53"):
        packed = socket.inet_pton(socket.AF_INET6, host)
        yield host, struct.pack("<H", socket.AF_INET6) + struct.pack(">HI", 443, 0) + packed + struct.pack("<I", 0)


def _connect_unix(probe: Probe, name: str, path: bytes, also: frozenset[int]) -> None:
    address = probe.program.data(struct.pack("<H", socket.AF_UNIX) + path)
    probe.program.add(41, socket.AF_UNIX, 1, 0)
    _try(probe, f"connect to {name}", 42, _NEXT, address.address, address.size, also=also)
    _close(probe, _NEXT)


def _calls(probe: Probe) -> None:
    program = probe.program
    child = program.add(56, 0x10000011, 0, 0, 0, 0, operation=Operation.IN_CHILD)  # CLONE_NEWUSER
    probe.attempts.append(Attempt("clone with a user name space", child, "ended"))
    for name, number, operation in (
        ("a call of the x32 kind", 0x40000000 + 39, Operation.IN_CHILD),
        ("a call through the 32-bit gate", 20, Operation.THROUGH_GATE_32),
    ):
        probe.attempts.append(Attempt(name, program.add(number, operation=operation), "ended"))
    for name, (number, *arguments) in _CALLS.items():
        _try(probe, name, number, *arguments)
        _close(probe, _NEXT)
    none, tmp = program.text("none"), program.text("/tmp")
    _try(probe, "mount", 165, none, tmp, program.text("tmpfs"), 0, 0)
    _try(probe, "chroot", 161, tmp)
    _try(probe, "a device file", 133, program.text("/tmp/device"), 0o20666, 0x103)


def _writes(probe: Probe, limits: RunLimits, *, gpu: bool, capped: bool) -> None:
    program = probe.program
    for path in _PLACES:
        _try(probe, f"write to {path}", 257, _AT_FDCWD, program.text(path), _WRONLY_CREAT, 0o600, also=_NOTHING_THERE)
        _close(probe, _NEXT)
    _try(probe, "a new control group", 83, program.text("/sys/fs/cgroup/x"), 0o700, also=_NOTHING_THERE)
    for path in _HOSTS_OWN:
        _try(probe, f"read {path}", 257, _AT_FDCWD, program.text(path), 0, 0, also=_NOTHING_THERE)
        _close(probe, _NEXT)
    for path in _DEVICES + (() if gpu else _GPU_DEVICES):
        _try(probe, f"open {path}", 257, _AT_FDCWD, program.text(path), 0, 0, also=_NOTHING_THERE)
        _close(probe, _NEXT)
    # The harness holds a lock on what /input was copied from. A program that met it could tell another of its kind.
    program.add(257, _AT_FDCWD, program.text(LOCKED), 0, 0)
    _works(probe, "a lock of its own on /input", 73, _NEXT, _EXCLUSIVE | _AT_ONCE)
    _close(probe, _NEXT)
    for folder, room in (("/tmp", limits.tmp_bytes), ("/dev/shm", limits.shm_bytes), ("/output", limits.output_bytes)):
        there = program.text(f"{folder}/x")
        _works(probe, f"write to {folder}", 257, _AT_FDCWD, there, _WRONLY_CREAT, 0o600)
        if folder != "/output" or capped:
            _try(probe, f"more than its room in {folder}", 285, _NEXT, 0, 0, room + 4096, also=_FULL)
        _close(probe, _NEXT)
        program.add(87, there)


def _questions(probe: Probe) -> None:
    program = probe.program
    for path in (STATUS, ENVIRONMENT):
        probe.files[path] = program.room(16384)
        program.add(257, _AT_FDCWD, program.text(path), 0, 0)
        program.add(0, _NEXT, probe.files[path].address, probe.files[path].size)
        _close(probe, _NEXT)
    for name in NAMESPACES:
        probe.namespaces[name] = program.room(64)
        program.add(89, program.text(f"/proc/self/ns/{name}"), probe.namespaces[name].address, 63)
    probe.output_status = program.room(120)
    _works(probe, "the size of /output", 137, program.text("/output"), probe.output_status.address)


def _forks(probe: Probe, limits: RunLimits) -> None:
    index = probe.program.add(0, operation=Operation.FORKS, count=limits.pids * 2)
    probe.attempts.append(Attempt("more processes than allowed", index, "counted"))
    probe.program.add(62, -1, 9)  # end them


def _write_down(probe: Probe) -> None:
    probe.program.add(1, _RESULT_FILE, probe.program.address, probe.program.size)
    _close(probe, _RESULT_FILE)


def _take_all_memory(probe: Probe, limits: RunLimits) -> None:
    """The last thing, since the engine must end the program for it."""
    program = probe.program
    start, size = 0x100000000, 2 * limits.memory_bytes
    program.add(9, start, size, 3, 0x32, -1, 0)  # private, anonymous, at this address
    program.add(0, start, size, operation=Operation.TOUCH)


def _of_child(status: int) -> Literal["held", "absent", "escaped"]:
    """A child's wait status: ended by the filter, ended because the kernel has no such gate, or refused an answer."""
    if status < 0:
        return "escaped"
    if status & 0x7F in (SIGSYS, SIGSEGV):
        return "held" if status & 0x7F == SIGSYS else "absent"
    return "held" if status == 1 << 8 else "escaped"
