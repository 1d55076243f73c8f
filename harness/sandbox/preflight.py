"""Before the first run on an engine: a probe, started with the arguments of a run, must fail at everything it tries.

The flags, the filter and the kernel are not believed, they are tried: the probe goes through the same builder and the
same engine as a team's image and meets what that would meet. Only the limits are small ones, so that it can be seen
that they bite. What was seen holds for one engine, kernel, runtime, filter and set of flags until the next boot.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.challenge.spec import RunLimits
from harness.documents.codec import digest, from_plain, pretty_json, to_plain, write_atomic
from harness.errors import HarnessError, MachineError
from harness.resources import cache_dir
from harness.sandbox.container import run_unprobed
from harness.sandbox.engine import Engine
from harness.sandbox.floors import below_floors
from harness.sandbox.image_archive import ImageConfig, Layer, write_image
from harness.sandbox.nonce import new_nonce
from harness.sandbox.output_store import Mode, output_store, release
from harness.sandbox.owner import Owner, boot_id, owner_of, this_process
from harness.sandbox.probe_attempts import ABSTRACT_NAME, LOCKED, RESULT, Probe, build_probe
from harness.sandbox.probe_verdict import Seen, problems
from harness.sandbox.profile import USER_ID, Mount, Profile, container_arguments, profile_sha256
from harness.sandbox.take import take_file

MIB = 1024**2
# Small enough to be reached in a moment; gVisor counts some hundred threads of its own among the processes.
PROBE_LIMITS = RunLimits(
    wall_s=60, stop_grace_s=1, memory_bytes=256 * MIB, cpus=1.0, pids=48, tmp_bytes=4 * MIB, tmp_inodes=64,
    shm_bytes=4 * MIB, output_bytes=8 * MIB, output_inodes=16, log_bytes=64 * 1024, nofile=64,
)  # fmt: skip
_GVISOR_PIDS = 256
_WORK = "probe-"
PROBED_ARCHITECTURE = "amd64"
_ENGINE_FACTS = (
    "ID", "ServerVersion", "KernelVersion", "OperatingSystem", "Architecture", "CgroupDriver", "CgroupVersion",
    "SecurityOptions", "DefaultRuntime", "Runtimes", "RuncCommit", "DockerRootDir", "Driver", "InitBinary",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the probe met. ``absent``: what this kernel does not have at all, so that nothing had to refuse it.
    ``problems`` is empty, or nothing may run."""

    key: str
    probed: bool
    absent: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


_seen: dict[str, Preflight] = {}
_one_at_a_time = threading.Lock()


def require_preflight(engine: Engine, profile: Profile) -> Preflight:
    """Let ``profile`` pass when its kind of container has been probed on ``engine``; probe it now if need be.

    Raises MachineError (I_PREFLIGHT) when the probe got anywhere, when it could not be run, or when the site requires
    sound versions and these are older: nothing may run then.
    """
    if engine.site.floors == "require":
        _require_floors(engine)
    if engine.host().architecture != PROBED_ARCHITECTURE:
        return Preflight(key="", probed=False)
    probe_profile = _probe_profile(engine, profile)
    key = _key(engine, probe_profile)
    with _one_at_a_time:
        found = _seen.get(key) or _stored(key) or _found_out(engine, probe_profile, key)
        _seen[key] = found
    if found.problems:
        more = f" and {len(found.problems) - 5} more" if len(found.problems) > 5 else ""
        raise _refused("a probe that may do nothing got further: " + "; ".join(found.problems[:5]) + more)
    return found


def _found_out(engine: Engine, profile: Profile, key: str) -> Preflight:
    try:
        found = replace(_probe(engine, profile), key=key)
    except MachineError as error:
        raise _refused(f"the probe could not be run: {error}", error) from error
    if not found.problems:
        write_atomic(_file(key), pretty_json(to_plain(found)))
    return found


def _require_floors(engine: Engine) -> None:
    below = below_floors(engine.versions())
    if below:
        raise MachineError(
            f"this site runs nothing on versions below the floors: {', '.join(below)}",
            code="I_PREFLIGHT",
            hint='update them, or write floors = "note" into the site file',
        )


def forget_preflights() -> None:
    """The next run probes again, whatever was seen before."""
    _seen.clear()
    for path in (cache_dir() / "preflight").glob("*.json"):
        path.unlink(missing_ok=True)


def left_probes(*, unseen: bool = False) -> list[Path]:
    """Folders of preflights whose process is gone; with ``unseen`` also those of which nobody here can tell."""
    left = {Owner.GONE, Owner.UNSEEN} if unseen else {Owner.GONE}
    found = (cache_dir() / "preflight").glob(f"{_WORK}*")
    return sorted(each for each in found if owner_of(each.name.removeprefix(_WORK).rpartition("-")[0]) in left)


def _refused(why: str, cause: HarnessError | None = None) -> MachineError:
    return MachineError(
        f"this engine does not hold its containers, so nothing was run: {why}",
        code="I_PREFLIGHT",
        hint="run `humdial doctor`; no team is to blame, and nothing of a team has been started",
        detail=cause.detail if cause else "",
    )


def _probe_profile(engine: Engine, profile: Profile) -> Profile:
    """The profile of a run with everything that is a number or a name of that run replaced."""
    pids = _GVISOR_PIDS if engine.is_gvisor(profile.runtime) else PROBE_LIMITS.pids
    return replace(
        profile,
        role="preflight",
        nonce="",
        limits=replace(PROBE_LIMITS, pids=pids),
        mounts=(),
        environment=(("HOME", "/tmp"),),
        entrypoint=None,
        command=None,
    )


def _key(engine: Engine, profile: Profile) -> str:
    info = engine.info()
    facts: dict[str, Any] = {name: info.get(name) for name in _ENGINE_FACTS}
    return digest(
        {
            "engine": facts,
            "address": engine.address,
            "boot": boot_id(),
            "profile": profile_sha256(profile),
            "programs": [digest(_probe_of(profile, forks).program.elf().hex()) for forks in (False, True)],
            "host_user": os.geteuid(),
        }
    ).removeprefix("sha256:")


def _file(key: str) -> Path:
    return cache_dir() / "preflight" / f"{key[:32]}.json"


def _stored(key: str) -> Preflight | None:
    import json

    try:
        found = from_plain(Preflight, json.loads(_file(key).read_text("utf-8")))
    except (OSError, ValueError, HarnessError):
        return None
    return found if found.key == key and not found.problems else None


def _probe_of(profile: Profile, forks: bool) -> Probe:
    return _built(profile.limits, forks, profile.gpu is not None, profile.user_id == USER_ID)


@cache
def _built(limits: RunLimits, forks: bool, gpu: bool, capped: bool) -> Probe:
    return build_probe(limits, forks=forks, gpu=gpu, capped=capped)


def _probe(engine: Engine, profile: Profile) -> Preflight:
    gvisor = engine.is_gvisor(profile.runtime)
    tried = _run(engine, profile, forks=False)
    found, absent = problems(tried, profile, gvisor=gvisor, local=engine.is_local)
    found += problems(_run(engine, profile, forks=True), profile, gvisor=gvisor, local=engine.is_local)[0]
    return Preflight(key="", probed=True, absent=tuple(absent), problems=tuple(found))


def _run(engine: Engine, profile: Profile, *, forks: bool) -> Seen:
    """One container with the probe in it, and what came of it."""
    probe = _probe_of(profile, forks)
    mode: Mode | None = None if profile.user_id == USER_ID else "watched"
    base = cache_dir() / "preflight"
    base.mkdir(parents=True, exist_ok=True)
    with _work_folder(base) as work, _listening(), _locked(work / "original"):
        image_id = _image(engine, probe.program.elf(), work)
        (work / "input").mkdir()
        copy_input(work / "original", work / "input" / Path(LOCKED).name)
        (work / "canary").write_text(secrets.token_hex(8), "ascii")
        limits = profile.limits
        with output_store(work / "output", limits.output_bytes, limits.output_inodes, mode=mode) as store:
            started = replace(
                profile,
                nonce=new_nonce(),
                mounts=(Mount(work / "input", "/input"), Mount(store.path, "/output", read_only=False)),
            )
            outcome = run_unprobed(engine, started, image_id, deadline_s=limits.wall_s)
            written = take_file(store.path, RESULT, limits.output_bytes)
            capped = store.mode == "capped"
        asked = tuple(container_arguments(started, image_id)["Env"])
    return Seen(probe, outcome, written, asked, capped, forks)


def copy_input(source: Path, target: Path) -> None:
    """A private copy, as a run's inputs are: a link or a shared mount would share locks too."""
    shutil.copyfile(source, target)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A file on which this process holds the lock."""
    with path.open("w") as stream:
        stream.write("x")
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def _work_folder(base: Path) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(dir=base, prefix=f"{_WORK}{this_process()}-")).resolve()
    work.chmod(0o755)
    try:
        yield work
    finally:
        release(work)


@contextmanager
def _listening() -> Iterator[None]:
    """An abstract socket on the outside that the probe must not reach. Somebody else's preflight will do as well."""
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(b"\0" + ABSTRACT_NAME.encode())
            listener.listen(1)
        except OSError:
            pass
        yield


def _image(engine: Engine, program: bytes, work: Path) -> str:
    """The image that holds the probe and nothing else; its id is the same on every machine."""
    archive = work / "image.tar"
    image_id = write_image(
        None, [Layer.from_files({"probe": (program, 0o755)})], ImageConfig(entrypoint=("/probe",)), archive
    )
    if engine.inspect_image(image_id) is None:
        with archive.open("rb") as stream:
            engine.load(stream)
    archive.unlink()
    return image_id
