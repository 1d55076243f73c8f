"""Reads what the preflight's probe wrote down and says in what it got further than it may. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from harness.sandbox.container import ContainerOutcome
from harness.sandbox.probe_attempts import ENVIRONMENT, STATUS, Probe
from harness.sandbox.profile import Profile

_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
_MOUNT_FLAGS = 0x2 | 0x4 | 0x8  # nosuid, nodev, noexec
# What the engine adds to every environment.
_ENGINES_OWN = frozenset({"PATH", "HOSTNAME"})
# gVisor answers these with devices and files of its own, which exist in its process and nowhere else.
_GVISORS_OWN = frozenset({"a device file", "open /dev/fuse", "open /dev/net/tun"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One container of the probe: the program, how it ended, what it wrote down (None: nothing), the environment that
    was asked, whether /output had a cap of its own, and whether it was the one that forks."""

    probe: Probe
    outcome: ContainerOutcome
    written: bytes | None
    asked: tuple[str, ...]
    capped: bool
    forks: bool


def problems(seen: Seen, profile: Profile, *, gvisor: bool, local: bool) -> tuple[list[str], list[str]]:
    """(what the probe should not have got, what this kernel lacks). ``local``: the engine runs on this machine."""
    if not seen.outcome.started:
        return [f"the probe did not start ({seen.outcome.start_error or 'no reason given'})"], []
    if seen.outcome.timed_out:
        return ["the probe did not come to an end"], []
    if seen.forks and gvisor and seen.outcome.exit_code != 0 and not seen.written:
        return [], []  # at the limit gVisor itself gets no thread any more, and ends
    if seen.written is None:
        return ["the probe left no answers in /output"], []
    try:
        returned = seen.probe.program.returned(seen.written)
    except ValueError as error:
        return [str(error)], []
    found, absent = [], []
    for attempt in seen.probe.attempts:
        verdict = attempt.verdict(returned[attempt.index], profile.limits.pids)
        if verdict == "escaped" and not (gvisor and attempt.name in _GVISORS_OWN):
            found.append(f"{attempt.name} [{returned[attempt.index].result}]")
        elif verdict == "absent":
            absent.append(attempt.name)
    if not seen.forks:
        found += _wrong_answers(seen, seen.written, profile, gvisor=gvisor, local=local)
        if seen.outcome.swap_not_capped:  # it may go on in swap: the kernel cannot be asked to prevent that
            absent.append("a cap on swap")
        elif not seen.outcome.oom_killed:
            found.append("more memory than allowed")
    return found, absent


def _wrong_answers(seen: Seen, written: bytes, profile: Profile, *, gvisor: bool, local: bool) -> list[str]:
    def content(name: str) -> bytes:
        return seen.probe.program.content(written, seen.probe.files[name]).rstrip(b"\0")

    found = _wrong_status(content(STATUS).decode("ascii", "replace"), profile.user_id, gvisor=gvisor)
    asked = {entry.partition("=")[0]: entry for entry in seen.asked}
    for entry in content(ENVIRONMENT).decode("utf-8", "replace").split("\0"):
        name = entry.partition("=")[0]
        if entry and entry != asked.get(name) and name not in _ENGINES_OWN:
            found.append(f"the environment holds {name!a}")
    if local:
        for name, buffer in seen.probe.namespaces.items():
            inside = seen.probe.program.content(written, buffer).rstrip(b"\0").decode("ascii", "replace")
            if inside and inside == _own_namespace(name):
                found.append(f"the {name} name space is the machine's")
    return found + _wrong_store(seen, written, profile, gvisor=gvisor)


def _wrong_status(status: str, user_id: int, *, gvisor: bool) -> list[str]:
    values = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    found = []
    if values.get("Uid") != [str(user_id)] * 4 or user_id == 0:
        found.append("the user")
    if set(values.get("Groups", ["?"])) - {str(user_id)}:
        found.append("the groups")
    if values.get("Seccomp") != ["2"]:
        found.append("no system call filter")
    if values.get("NoNewPrivs", ["1"] if gvisor else []) != ["1"]:  # gVisor does not print that line
        found.append("new privileges")
    found += [f"capabilities ({name})" for name in _CAPABILITIES if values.get(name, ["0"])[0].strip("0")]
    return found


def _wrong_store(seen: Seen, written: bytes, profile: Profile, *, gvisor: bool) -> list[str]:
    if seen.probe.output_status is None or not seen.capped:
        return []
    status = struct.unpack_from("<12Q", seen.probe.program.content(written, seen.probe.output_status))
    block_bytes, blocks, files, flags = status[1], status[2], status[5], status[10]
    found = []
    if block_bytes * blocks != profile.limits.output_bytes:
        found.append("the size of /output")
    # gVisor keeps the number of files and the mount's flags to itself; the cap bites all the same.
    if not gvisor and files != profile.limits.output_inodes + 1:
        found.append("the number of files in /output")
    if not gvisor and flags & _MOUNT_FLAGS != _MOUNT_FLAGS:
        found.append("/output may hold programs or devices")
    return found


def _own_namespace(name: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{name}").readlink())
    except OSError:
        return ""
