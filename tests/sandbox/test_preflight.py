"""The probe that must fail at everything, on the real engine: what it finds under weaker settings."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.challenge.spec import RunLimits
from harness.errors import MachineError
from harness.resources import data_dir
from harness.sandbox import Engine, Profile, preflight, require_preflight, run_container, seccomp_text
from harness.sandbox.engine import connect
from harness.sandbox.probe_program import Operation, Program

engine_test = pytest.mark.engine
RUNTIMES = ("runc", "runsc")
ALLOW_ALL = json.dumps(
    {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]}
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was seen before counts, and nothing that is seen here counts afterwards."""
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(preflight, "_seen", {})


@pytest.fixture
def profile(small_limits: RunLimits) -> Profile:
    return Profile(
        role="team",
        nonce="0123456789abcdef",
        limits=small_limits,
        mounts=(),
        environment=(),
        seccomp=seccomp_text(),
        runtime="runc",
    )


def having(engine: Engine, runtime: str) -> str:
    if runtime not in engine.info()["Runtimes"]:
        pytest.skip(f"this engine has no {runtime}")
    return runtime


@engine_test
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_probe_fails_at_everything_under_our_profile(
    engine: Engine, profile: Profile, runtime: str, tmp_path: Path
) -> None:
    found = require_preflight(engine, replace(profile, runtime=having(engine, runtime)))
    assert found.probed
    assert found.problems == ()
    (kept,) = (tmp_path / "cache/preflight").iterdir()  # nothing else of it stays
    assert json.loads(kept.read_text())["key"] == found.key
    probes = engine.api.containers(all=True, filters={"label": "humdial.role=preflight"})
    assert [each for each in probes if str(tmp_path) in str(each["Mounts"])] == []  # others' may be under way


@engine_test
def test_it_is_tried_once_for_one_engine_and_profile(
    engine: Engine, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    real = preflight._probe
    monkeypatch.setattr(preflight, "_probe", lambda *given: tried.append(1) or real(*given))
    first = require_preflight(engine, profile)
    monkeypatch.setattr(preflight, "_seen", {})  # another process
    assert require_preflight(engine, replace(profile, nonce="other", role="judge")) == first
    assert len(tried) == 1


@engine_test
@pytest.mark.parametrize(
    ("runtime", "names"),
    [
        (
            "runc",
            "io_uring_setup, keyctl, add_key, bpf, perf_event_open, userfaultfd, ptrace, process_vm_readv, "
            "memfd_secret, process_vm_writev, unshare a user name space, mount, open_by_handle_at, "
            "socket family 16 type 3, mq_open, a call through the 32-bit gate, clone with a user name space",
        ),
        ("runsc", "io_uring_setup, ptrace, unshare a user name space, clone with a user name space, socket family 16"),
    ],
)
def test_without_the_filter_nothing_runs_and_every_hole_is_named(
    engine: Engine, base_image: str, profile: Profile, runtime: str, names: str, tmp_path: Path
) -> None:
    """The kernel decides what can be seen: what it lacks altogether cannot escape. These it has."""
    weak = replace(profile, runtime=having(engine, runtime), seccomp=ALLOW_ALL)
    log = tmp_path / "log"
    with pytest.raises(MachineError) as caught:
        run_container(engine, weak, engine.image_id(base_image) or "", deadline_s=20, log_path=log)
    assert (caught.value.code, caught.value.exit_code) == ("I_PREFLIGHT", 3)
    assert not log.exists()
    assert not list((tmp_path / "cache/preflight").glob("*.json"))
    (seen,) = preflight._seen.values()
    found = " | ".join(seen.problems)
    assert [name for name in names.split(", ") if name not in found] == []


@engine_test
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"CapAdd": ["NET_RAW"], "CapDrop": []}, "capabilities (CapBnd)"),
        ({"ReadonlyRootfs": False, "Tmpfs": {}}, "write to /tmp"),
        ({"IpcMode": "host"}, "the ipc name space is the machine's"),
        ({"UTSMode": "host"}, "the uts name space is the machine's"),
        ({"CgroupnsMode": "host"}, "the cgroup name space is the machine's"),
        ({"PidsLimit": 0}, "more processes than allowed"),
        ({"Memory": 0, "MemorySwap": 0}, "more memory than allowed"),
        ({"ShmSize": 1 << 30}, "more than its room in /dev/shm"),
        ({"Binds": ["/etc:/etc:ro"]}, "read /etc/passwd"),
        ({"SecurityOpt": []}, "new privileges"),
    ],
)
def test_each_weaker_flag_is_found_out_by_trying(
    engine: Engine, profile: Profile, changes: dict[str, object], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that says one thing and does another: here the builder and the comparison are made to look away."""
    from harness.sandbox import container

    asked = container.container_arguments

    def weaker(given: Profile, image_id: str) -> dict[str, object]:
        arguments = asked(given, image_id)
        arguments["HostConfig"] |= changes
        if "UTSMode" in changes:
            del arguments["Hostname"], arguments["Domainname"]
        return arguments

    monkeypatch.setattr(container, "container_arguments", weaker)
    monkeypatch.setattr(container, "_require_agreement", lambda *_: None)
    with pytest.raises(MachineError) as caught:
        require_preflight(engine, profile)
    assert caught.value.code == "I_PREFLIGHT"
    (seen,) = preflight._seen.values()
    assert [each for each in seen.problems if problem in each], seen.problems


@engine_test
def test_inputs_that_share_their_locks_with_the_outside_are_found_out(
    engine: Engine, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "copy_input", lambda source, target: target.hardlink_to(source))
    with pytest.raises(MachineError) as caught:
        require_preflight(engine, profile)
    assert caught.value.code == "I_PREFLIGHT"
    (seen,) = preflight._seen.values()
    assert seen.problems == (f"a lock of its own on /input [{-errno.EAGAIN}]",)


@engine_test
def test_a_result_of_another_boot_or_engine_does_not_count(
    engine: Engine, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe_profile = preflight._probe_profile(engine, profile)
    key = preflight._key(engine, probe_profile)
    monkeypatch.setattr(preflight, "boot_id", lambda: "another boot")
    assert preflight._key(engine, probe_profile) != key
    monkeypatch.undo()
    changed = {**engine.info(), "KernelVersion": "1.0"}
    monkeypatch.setattr(type(engine), "info", lambda _: changed)
    assert preflight._key(engine, probe_profile) != key
    monkeypatch.undo()
    assert preflight._key(engine, replace(probe_profile, gpu="GPU-1")) != key


@engine_test
def test_a_runtime_that_is_not_there_is_our_side(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_RUNTIME", "kata")
    with pytest.raises(MachineError) as caught:
        connect().runtime()
    assert (caught.value.code, caught.value.exit_code) == ("I_RUNTIME", 3)
    assert "runc" in str(caught.value)


def test_the_machine_code_is_the_assembly_beside_it(tmp_path: Path) -> None:
    if shutil.which("as") is None or shutil.which("objcopy") is None:
        pytest.skip("no assembler")
    folder = data_dir("sandbox") / "probe"
    subprocess.run(["as", "--64", "-o", tmp_path / "o", folder / "x86_64.s"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", tmp_path / "o", tmp_path / "code"], check=True)
    assert (tmp_path / "code").read_bytes() == bytes.fromhex((folder / "x86_64.hex").read_text())


def test_the_program_writes_down_what_its_calls_returned(tmp_path: Path) -> None:
    """Outside any container: what it says about itself is true."""
    program = Program(entries=16)
    path = program.text(str(tmp_path / "answers"))
    program.add(257, -100, path, 0o101, 0o600)
    name = program.room(256)
    process = program.add(39)  # getpid
    missing = program.add(257, -100, program.text("/none/such"), 0, 0)
    link = program.add(89, program.text("/proc/self/exe"), name.address, 255)
    ended = program.add(231, 0, operation=Operation.IN_CHILD)
    refused = program.add(3, 99, operation=Operation.IN_CHILD)
    program.add(1, 3, program.address, program.size)
    binary = tmp_path / "probe"
    binary.write_bytes(program.elf())
    binary.chmod(0o755)
    started = subprocess.Popen([binary])
    assert started.wait() == 0
    written = (tmp_path / "answers").read_bytes()
    returned = program.returned(written)
    assert returned[process].result == started.pid
    assert returned[missing].result == -2
    assert (returned[ended].result, returned[refused].result) == (0, 1 << 8)
    assert program.content(written, name)[: returned[link].result].decode() == str(binary)
    with pytest.raises(ValueError, match="number of bytes"):
        program.returned(written[:-1])
    with pytest.raises(ValueError, match="another table"):
        program.returned(b"\1" + written[1:])
