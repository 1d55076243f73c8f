"""Looks at the machine of an organiser: is everything here that runs need, is it sound, and is nothing left over?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import __version__
from harness.challenge.spec import RunLimits
from harness.documents.doctor import Check, DoctorReport, Health
from harness.errors import HarnessError
from harness.sandbox.engine import Engine, connect
from harness.sandbox.floors import floor_text, is_below
from harness.sandbox.leftovers import left_containers, left_stores
from harness.sandbox.limits import effective_limits
from harness.sandbox.owner import Owner
from harness.sandbox.preflight import PROBED_ARCHITECTURE, left_probes, require_preflight
from harness.sandbox.profile import USER_ID, Profile, seccomp_text

_ORDER: tuple[Health, ...] = ("ok", "note", "wrong", "missing")
_FREE_BYTES, _FREE_INODES = 20 << 30, 100_000
_GOOD_DRIVERS = ("overlay2", "overlayfs", "fuse-overlayfs", "btrfs", "zfs")
_OLDEST_KERNEL = (5, 6)  # openat2
_EARLIEST = 1_764_000_000  # seconds since 1970; before this program was written no clock can be right
_TOOL_S = 20


def examine(limits: RunLimits, *, runtime: str | None = None) -> DoctorReport:
    """Every check; what cannot be asked is a finding and never an error. ``limits`` are the official ones."""
    checks = [_python(), _kernel(), _clock()]
    try:
        engine = connect(runtime=runtime)
        engine.info()
    except HarnessError as error:
        checks.append(Check("engine", "missing", str(error), error.hint))
    else:
        checks += [*_of_engine(engine, limits)]
        engine.close()
    checks += [_space("work", Path.cwd()), _gpu()]
    worst = max((check.health for check in checks), key=_ORDER.index)
    return DoctorReport(1, worst, tuple(checks), __version__)


def _of_engine(engine: Engine, limits: RunLimits) -> Iterator[Check]:
    yield _asked("engine", lambda: _version(engine, "engine", "update Docker Engine"))
    yield _asked("runtime", lambda: _runtime(engine))
    yield _asked("cgroup", lambda: _version(engine, "cgroup", "boot with systemd.unified_cgroup_hierarchy=1"))
    yield _asked("preflight", lambda: _preflight(engine, limits))
    yield _asked("limits", lambda: _limits(engine, limits))
    yield _asked("storage", lambda: _storage(engine))
    yield _asked("leftovers", lambda: _leftovers(engine))


def _asked(name: str, question: Callable[[], Check]) -> Check:
    try:
        return question()
    except HarnessError as error:
        return Check(name, "missing", str(error), error.hint)


def _python() -> Check:
    version = sys.version.split()[0]
    # The mends of the zip and tar modules of 2024 and 2025 are in the last number.
    if sys.version_info < (3, 11, 11):
        return Check("python", "note", version, "update to the last Python of its line, for its zip and tar readers")
    return Check("python", "ok", version)


def _kernel() -> Check:
    release = os.uname().release
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_KERNEL:
        return Check("kernel", "note", release, "use Linux 5.6 or later: older ones open results less safely")
    return Check("kernel", "ok", release)


def _clock() -> Check:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < _EARLIEST or time.get_clock_info("monotonic").adjustable:
        return Check("clock", "wrong", shown, "set the clock; deadlines of submissions are read from it")
    return Check("clock", "ok", shown)


def _version(engine: Engine, what: str, fix: str) -> Check:
    version = engine.versions()[what]
    if is_below(what, version):
        return Check(what, "note", f"{version}, below {floor_text(what)}", f"{fix}, or see that yours has the mends")
    return Check(what, "ok", version)


def _runtime(engine: Engine) -> Check:
    name, versions = engine.runtime(), engine.versions()
    if engine.is_gvisor(name):
        return Check("runtime", "ok", f"{name} (gVisor)")
    version = versions.get("runc", "")
    if is_below("runc", version):
        found = f"{name} {version or 'of an unknown version'}, below {floor_text('runc')}"
        return Check("runtime", "note", found, "update runc, or choose gVisor in the site file")
    return Check("runtime", "ok", f"{name} {version}")


def _preflight(engine: Engine, limits: RunLimits) -> Check:
    user = USER_ID if os.geteuid() == 0 else os.geteuid()  # as for a run
    profile = Profile("team", "", limits, (), (), seccomp_text(), user_id=user, runtime=engine.runtime())
    try:
        found = require_preflight(engine, profile)
    except HarnessError as error:
        return Check("preflight", "missing", str(error), "use another engine or runtime: nothing runs on this one")
    if not found.probed:
        return Check(
            "preflight", "note", "no probe for this processor", f"use {PROBED_ARCHITECTURE} for runs that count"
        )
    lacking = f"; not in this kernel at all: {', '.join(found.absent)}" if found.absent else ""
    return Check("preflight", "ok", f"the probe fails at everything it tries{lacking}")


def _limits(engine: Engine, limits: RunLimits) -> Check:
    host = engine.host()
    found = f"{host.cpus} CPUs, {host.memory_bytes / 2**30:.0f} GiB"
    _, lowered = effective_limits(limits, host)
    if lowered:
        return Check("limits", "note", f"{found}; lowered: {', '.join(lowered)}", "use a machine of the official size")
    return Check("limits", "ok", found)


def _storage(engine: Engine) -> Check:
    info = engine.info()
    driver, root = str(info.get("Driver", "unknown")), Path(str(info.get("DockerRootDir", "/")))
    if driver not in _GOOD_DRIVERS:
        return Check("storage", "wrong", driver, "let the engine use overlay2; this driver copies every layer")
    return _space("storage", root, driver) if engine.is_local else Check("storage", "ok", driver)


def _space(name: str, folder: Path, what: str = "") -> Check:
    while not folder.exists():
        folder = folder.parent
    try:
        status = os.statvfs(folder)
    except OSError as error:
        return Check(name, "wrong", f"{folder}: {error.strerror}", "make it readable")
    free, files = status.f_bavail * status.f_frsize, status.f_favail
    found = f"{what + ', ' if what else ''}{free / 2**30:.0f} GiB free"
    if free < _FREE_BYTES:
        return Check(name, "wrong", found, f"free at least {_FREE_BYTES >> 30} GiB there")
    if status.f_files > 0 and files < _FREE_INODES:
        return Check(name, "wrong", f"{found}, {files} files more", "delete small files there")
    return Check(name, "ok", found)


def _leftovers(engine: Engine) -> Check:
    containers = [each for each in left_containers(engine) if each.owner is not Owner.WORKS]
    stores = left_stores(engine)
    probes = left_probes()
    if not containers and not stores and not probes:
        return Check("leftovers", "ok", "none")
    unseen = sum(each.owner is Owner.UNSEEN for each in containers)
    found = f"{len(containers)} containers, {len(stores)} mounts, {len(probes)} folders"
    if unseen:
        found += f"; the process of {unseen} cannot be seen from here"
    if unseen == len(containers) + len(stores) + len(probes):
        return Check("leftovers", "note", found, "run `humdial clean --all` when no run is under way")
    return Check("leftovers", "note", found, "run `humdial clean`")


def _gpu() -> Check:
    tool = shutil.which("nvidia-ctk")
    if tool is None:
        if shutil.which("nvidia-smi") is None:
            return Check("gpu", "ok", "no NVIDIA GPU here")
        return Check("gpu", "note", "a GPU, but no container toolkit", "install nvidia-container-toolkit")
    try:
        said = subprocess.run([tool, "--version"], capture_output=True, text=True, timeout=_TOOL_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return Check("gpu", "wrong", "nvidia-ctk does not run", "install nvidia-container-toolkit again")
    version = next((word for word in said.split() if word[:1].isdigit()), "")
    if is_below("nvidia-container-toolkit", version):
        found = f"nvidia-container-toolkit {version or 'of an unknown version'}"
        return Check("gpu", "wrong", found, f"update it to {floor_text('nvidia-container-toolkit')} or later")
    return Check("gpu", "ok", f"nvidia-container-toolkit {version}")
