"""Containers of the base image on the real engine: what the program inside can do, and what we see of it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sandbox_inputs import MIB

from harness.challenge.spec import RunLimits
from harness.errors import MachineError
from harness.sandbox import ContainerOutcome, Engine, Mount, Profile, container, run_container, seccomp_text
from harness.sandbox.engine_view import differences
from harness.sandbox.profile import container_arguments

pytestmark = pytest.mark.engine
Inside = Callable[..., tuple[ContainerOutcome, str]]


def profile_of(limits: RunLimits, program: str, **changes: object) -> Profile:
    base = Profile(
        role="probe",
        nonce=os.urandom(8).hex(),
        limits=limits,
        mounts=(),
        environment=(("HOME", "/tmp"),),
        seccomp=seccomp_text(),
        entrypoint=("python3", "-c"),
        command=(program,),
        runtime="runc",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def inside(engine: Engine, base_image: str, small_limits: RunLimits, tmp_path: Path) -> Inside:
    """Run a Python program under the full profile; returns the outcome and what it printed."""

    def run(
        program: str, *, deadline_s: float = 20, limits: RunLimits = small_limits, **changes: object
    ) -> tuple[ContainerOutcome, str]:
        image = engine.image_id(base_image)
        assert image is not None
        log = tmp_path / "log"
        outcome = run_container(
            engine, profile_of(limits, program, **changes), image, deadline_s=deadline_s, log_path=log
        )
        return outcome, log.read_text("utf-8", "replace")

    return run


ATTEMPT = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, action):
    try:
        action()
        print(name, "DONE")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
def call(number, *arguments):
    def action():
        if libc.syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "")
    return action
"""


def results(printed: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in printed.splitlines())


def test_no_network_of_any_kind(inside: Inside) -> None:
    outcome, printed = inside(
        ATTEMPT
        + """
socket.setdefaulttimeout(2)
attempt("tcp", lambda: socket.create_connection(("192.0.2.1", 80)))
attempt("metadata", lambda: socket.create_connection(("169.254.169.254", 80)))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
attempt("tcp6", lambda: socket.create_connection(("2001:db8::1", 80)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
try:
    socket.getaddrinfo("example.com", 80); print("dns DONE")
except socket.gaierror:
    print("dns refused")
attempt("docker", lambda: socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock"))
print("interfaces", ",".join(sorted(os.listdir("/sys/class/net"))))
"""
    )
    assert outcome.exit_code == 0
    found = results(printed)
    assert found.pop("interfaces") == "lo"
    assert found.pop("dns") == "refused"
    assert found == {
        "tcp": "ENETUNREACH",
        "metadata": "ENETUNREACH",
        "udp": "ENETUNREACH",
        "tcp6": found["tcp6"],
        "raw": "EPERM",
        "docker": "ENOENT",
    }
    assert found["tcp6"] in {"ENETUNREACH", "EADDRNOTAVAIL"}


def test_forbidden_sockets_and_calls_are_refused(inside: Inside) -> None:
    """EPERM is the filter's answer; a call that the kernel merely lacks would say ENOSYS or EAFNOSUPPORT."""
    families = {"netlink": 16, "packet": 17, "alg": 38, "vsock": 40, "xdp": 44}
    calls = {
        "ptrace": 101, "mount": 165, "keyctl": 250, "mq_open": 240, "unshare": 272, "perf_event_open": 298,
        "open_by_handle_at": 304, "process_vm_readv": 310, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425,
    }  # fmt: skip
    program = ATTEMPT + "".join(
        f"attempt({name!r}, lambda: socket.socket({number}, 3))\n" for name, number in families.items()
    )
    program += "".join(f"attempt({name!r}, call({number}, 0, 0, 0, 0, 0))\n" for name, number in calls.items())
    pairs = {f"{name}-pair": number for name, number in {**families, "tipc": 30, "inet": 2}.items()}
    program += "fds = (ctypes.c_int * 2)()\n"
    program += "".join(f"attempt({name!r}, call(53, {number}, 1, 0, fds))\n" for name, number in pairs.items())
    program += "attempt('unix-pair', call(53, 1, 1, 0, fds))\n"
    _, printed = inside(program)
    expected = dict.fromkeys([*families, *calls, *pairs], "EPERM")
    assert results(printed) == {**expected, "unix-pair": "DONE"}


def test_calls_of_the_other_word_size_end_the_program(inside: Inside) -> None:
    outcome, printed = inside(
        ATTEMPT + "print('before 1', flush=True)\ncall(0x40000000 + 41, 40, 1, 0)()\nprint('after 1')"
    )
    assert "before" in printed and "after" not in printed
    assert outcome.exit_code == 128 + signal.SIGSYS


def test_only_the_places_meant_for_it_are_writable(inside: Inside, tmp_path: Path) -> None:
    given, output = tmp_path / "given", tmp_path / "output"
    given.mkdir()
    output.mkdir()
    output.chmod(0o777)
    (given / "file").write_text("x")
    places = [
        "/",
        "/etc",
        "/usr/lib",
        "/input",
        "/proc/sys/kernel",
        "/sys/fs/cgroup",
        "/dev",
        "/tmp",
        "/dev/shm",
        "/output",
    ]
    _, printed = inside(
        ATTEMPT
        + f"for place in {places!r}: attempt(place, lambda: open(place + '/x', 'w').close())\n"
        + "attempt('over', lambda: open('/input/file', 'w'))\n",
        mounts=(Mount(given, "/input"), Mount(output, "/output", read_only=False)),
    )
    writable = {place for place, result in results(printed).items() if result == "DONE"}
    assert writable == {"/tmp", "/dev/shm", "/output"}
    assert (given / "file").read_text() == "x"


def test_identity_has_no_powers(inside: Inside) -> None:
    _, printed = inside("print(open('/proc/self/status').read()); import socket; print('Host:', socket.gethostname())")
    status = {line.split(":")[0]: line.split(":", 1)[1].split() for line in printed.splitlines() if ":" in line}
    assert status["Uid"] == ["64999"] * 4
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]
    assert {status[name][0].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert status["Host"] == ["sandbox"]


def test_processes_are_capped(inside: Inside, small_limits: RunLimits) -> None:
    outcome, printed = inside(
        "import os, time\nmade = 0\ntry:\n  while True:\n"
        "    if os.fork() == 0:\n      time.sleep(30); os._exit(0)\n    made += 1\n"
        "except BlockingIOError:\n  print('made', made, flush=True)\n"
    )
    assert outcome.exit_code == 0
    assert small_limits.pids - 8 <= int(results(printed)["made"]) < small_limits.pids


def test_tmp_and_shm_are_capped_in_bytes_and_files(inside: Inside) -> None:
    _, printed = inside(
        ATTEMPT
        + """
attempt("tmp", lambda: open("/tmp/x", "wb").write(b"x" * 9 * 1024**2))
attempt("shm", lambda: open("/dev/shm/x", "wb").write(b"x" * 9 * 1024**2))
os.remove("/tmp/x")
attempt("files", lambda: [open(f"/tmp/{n}", "w").close() for n in range(300)])
"""
    )
    assert results(printed) == {"tmp": "ENOSPC", "shm": "ENOSPC", "files": "ENOSPC"}


def test_programs_that_libraries_compile_into_tmp_can_run(inside: Inside) -> None:
    _, printed = inside(
        "import shutil, subprocess; shutil.copy('/bin/echo', '/tmp/e'); subprocess.run(['/tmp/e', 'ran'])"
    )
    assert printed == "ran\n"


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_what_python_libraries_need_works(
    inside: Inside, engine: Engine, small_limits: RunLimits, runtime: str
) -> None:
    """Threads need clone3 to be 'not implemented', also with name spaces in it; only then libc takes clone."""
    if runtime not in engine.info()["Runtimes"]:
        pytest.skip(f"this engine has no {runtime}")
    outcome, printed = inside(
        "import multiprocessing, threading, socket, tempfile, mmap, asyncio\n"
        "with multiprocessing.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))\n"
        "a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "print(socket.create_connection(server.getsockname()) is not None)\n"
        "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
        "async def main(): print((await (await asyncio.create_subprocess_exec('true')).wait()))\n"
        "asyncio.run(main())\n"
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.syscall(435, (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17), 88), ctypes.get_errno())\n",
        limits=replace(small_limits, pids=512),  # gVisor's own threads count too
        runtime=runtime,
    )
    assert outcome.exit_code == 0, printed
    assert printed.splitlines() == ["3", "b'x'", "True", "thread", "0", "-1 38"]


def test_the_log_is_capped(inside: Inside, small_limits: RunLimits) -> None:
    outcome, printed = inside("for n in range(200_000): print('x' * 99)")
    assert outcome.exit_code == 0
    assert 0 < len(printed) <= 2 * small_limits.log_bytes


def test_memory_is_capped_and_measured(inside: Inside, small_limits: RunLimits) -> None:
    outcome, _ = inside("import time; x = bytearray(64 * 1024**2); time.sleep(0.5)")
    assert outcome.exit_code == 0 and not outcome.oom_killed
    if outcome.peak_memory_bytes is not None:  # the engine may run on a machine whose control groups we cannot see
        assert 64 * MIB < outcome.peak_memory_bytes < small_limits.memory_bytes
    outcome, _ = inside("x = bytearray(256 * 1024**2)")
    assert outcome.oom_killed


def test_a_kill_for_memory_that_the_engine_misses_is_the_kernels_word(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does on a busy machine for some: the words of the kernel and of the engine are lost on different ways."""
    real = container._inspect

    def deaf(engine: Engine, name: str) -> dict[str, Any]:
        found = real(engine, name)
        found["State"]["OOMKilled"] = False
        return found

    monkeypatch.setattr(container, "_inspect", deaf)
    child = "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'bytearray(256 * 1024**2)'])\n"
    outcome, _ = inside(child + "time.sleep(0.5)\nsys.exit(1)")
    if outcome.peak_memory_bytes is not None:  # as above
        assert outcome.oom_killed and not outcome.memory_short_outside


def test_the_deadline_is_ours(inside: Inside) -> None:
    outcome, _ = inside("import time; time.sleep(60)", deadline_s=1)
    assert outcome.timed_out
    assert 1.0 <= outcome.wall_s < 20


def test_a_watch_may_end_the_run(engine: Engine, base_image: str, small_limits: RunLimits) -> None:
    outcome = run_container(
        engine,
        profile_of(small_limits, "import time; time.sleep(60)"),
        engine.image_id(base_image) or "",
        deadline_s=20,
        watch=lambda: "bytes",
    )
    assert outcome.stopped_for == "bytes" and not outcome.timed_out
    assert outcome.wall_s < 15


def test_ctrl_c_leaves_nothing(engine: Engine, base_image: str, small_limits: RunLimits) -> None:
    profile = profile_of(small_limits, "import time; time.sleep(60)")
    running = threading.Event()

    def interrupt() -> None:
        running.wait(20)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def watch() -> None:
        running.set()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        run_container(engine, profile, engine.image_id(base_image) or "", deadline_s=20, watch=watch)
    interrupter.join()
    assert engine.api.containers(all=True, filters={"label": f"humdial.nonce={profile.nonce}"}) == []


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_ctrl_c_while_the_engine_makes_the_container_leaves_nothing(
    engine: Engine, base_image: str, small_limits: RunLimits, after_s: float
) -> None:
    """Whatever it interrupts, also the answer to a request that the engine carries out all the same."""
    profile = profile_of(small_limits, "import time; time.sleep(60)")
    main = threading.main_thread().ident or 0
    timer = threading.Timer(after_s, lambda: signal.pthread_kill(main, signal.SIGINT))
    image = engine.image_id(base_image) or ""
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        run_container(engine, profile, image, deadline_s=20)
    timer.join()
    settled = time.monotonic() + 2  # what the engine was still about to make would show up by now
    while time.monotonic() < settled:
        assert engine.api.containers(all=True, filters={"label": f"humdial.nonce={profile.nonce}"}) == []
        time.sleep(0.2)


def test_the_engine_is_held_to_what_was_asked(engine: Engine, base_image: str, small_limits: RunLimits) -> None:
    """For each flag: a container made without it is seen as different by the engine's own description."""
    image = engine.image_id(base_image) or ""
    asked = container_arguments(profile_of(small_limits, "pass"), image)
    weaker = {
        "NetworkMode": "host", "ReadonlyRootfs": False, "CapDrop": [], "CapAdd": ["SYS_ADMIN"], "SecurityOpt": [],
        "IpcMode": "shareable", "Memory": 0, "PidsLimit": 0, "NanoCpus": 0, "Tmpfs": {}, "Privileged": True,
        "Init": False, "Binds": ["/etc:/etc2"], "PidMode": "host", "LogConfig": {"Type": "json-file", "Config": {}},
        "ShmSize": 1 << 30, "Ulimits": [], "RestartPolicy": {"Name": "always"},
        "MaskedPaths": [], "ReadonlyPaths": [], "CgroupParent": "/elsewhere",
        **({"Runtime": "runsc"} if "runsc" in engine.info()["Runtimes"] else {}),
    }  # fmt: skip
    for name, value in [("none", None), *weaker.items()]:
        request = json.loads(json.dumps(asked))
        if name != "none":
            request["HostConfig"][name] = value
        if name in {"NetworkMode"}:
            request["NetworkDisabled"] = False
        if name == "Memory":
            request["HostConfig"]["MemorySwap"] = 0
        container = engine.api.create_container_from_config(request)["Id"]
        try:
            wrong = differences(asked, engine.api.inspect_container(container))
        finally:
            engine.api.remove_container(container, force=True)
        assert (name in wrong) if name != "none" else wrong == []


def test_another_container_than_asked_never_runs(
    engine: Engine, base_image: str, small_limits: RunLimits, tmp_path: Path
) -> None:
    """A mount source that the engine resolves to another path: its view differs from the request."""
    (tmp_path / "a").mkdir()
    profile = profile_of(small_limits, "print(1)", mounts=(Mount(tmp_path / "a" / ".." / "a", "/input"),))
    with pytest.raises(MachineError) as caught:
        run_container(engine, profile, engine.image_id(base_image) or "", deadline_s=20, log_path=tmp_path / "log")
    assert caught.value.code == "I_PROFILE" and "Mounts" in str(caught.value)
    assert not (tmp_path / "log").exists()
    assert engine.api.containers(all=True, filters={"label": f"humdial.nonce={profile.nonce}"}) == []


def test_no_engine_is_our_side_with_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from harness.sandbox import connect

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    start = time.monotonic()
    with pytest.raises(MachineError) as caught:
        connect()
    assert caught.value.code == "I_ENGINE" and "engine.sh" in caught.value.hint
    assert time.monotonic() - start < 5
