"""The whole create request, word for word: a change of any flag must be seen and meant."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from harness.challenge.spec import RunLimits
from harness.sandbox.profile import Mount, Profile, container_arguments, profile_sha256, seccomp_text

GOLDEN = Path(__file__).parent / "golden_profile.json"
IMAGE = "sha256:" + "0" * 64


@pytest.fixture
def profile(small_limits: RunLimits) -> Profile:
    return Profile(
        role="team",
        nonce="0123456789abcdef",
        limits=small_limits,
        mounts=(Mount(Path("/a"), "/input"), Mount(Path("/b"), "/output", read_only=False)),
        environment=(("HOME", "/tmp"),),
        seccomp="{}",
        entrypoint=("/run.sh",),
        command=(),
        runtime="runc",
    )


def test_the_request_is_exactly_this(profile: Profile) -> None:
    assert container_arguments(profile, IMAGE) == json.loads(GOLDEN.read_text("utf-8"))


def test_the_digest_is_the_same_on_another_machine_and_for_another_run(profile: Profile) -> None:
    elsewhere = replace(
        profile,
        nonce="fedcba9876543210",
        mounts=(Mount(Path("/x"), "/input"), Mount(Path("/y"), "/output", read_only=False)),
    )
    assert profile_sha256(profile, IMAGE) == profile_sha256(elsewhere, IMAGE)


@pytest.mark.parametrize("name", sorted(f.name for f in fields(RunLimits) if f.name not in {"wall_s", "stop_grace_s"}))
def test_every_limit_reaches_the_request(profile: Profile, name: str) -> None:
    if name in {"output_bytes", "output_inodes"}:  # these belong to the store, not to the container
        return
    changed = replace(profile, limits=replace(profile.limits, **{name: getattr(profile.limits, name) + 1}))
    assert profile_sha256(changed, IMAGE) != profile_sha256(profile, IMAGE)


def test_nothing_of_the_host_enters_the_environment(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    assert container_arguments(profile, IMAGE)["Env"] == ["HOME=/tmp", "NVIDIA_VISIBLE_DEVICES=void"]


def test_a_gpu_is_one_device_with_compute_and_nothing_else(profile: Profile) -> None:
    """No GPU is here to try it on: the whole request is held instead. Nothing but these two places differs."""
    arguments = container_arguments(replace(profile, gpu="GPU-5b1e77d0"), IMAGE)
    golden = json.loads(GOLDEN.read_text("utf-8"))
    golden["Env"] = ["HOME=/tmp", "NVIDIA_VISIBLE_DEVICES=GPU-5b1e77d0", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"]
    golden["HostConfig"]["DeviceRequests"] = [
        {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["GPU-5b1e77d0"], "Capabilities": [["gpu", "compute", "utility"]]}
    ]
    assert arguments == golden


def test_the_system_call_list_denies_by_default_and_lets_no_escape_through() -> None:
    profile = json.loads(seccomp_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    dangerous = {
        "add_key", "bpf", "io_uring_enter", "io_uring_register", "io_uring_setup", "keyctl", "kexec_load",
        "memfd_secret", "mount", "move_mount", "mq_open", "msgget", "name_to_handle_at", "open_by_handle_at",
        "perf_event_open", "pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace",
        "request_key", "setns", "socketcall", "umount2", "unshare", "userfaultfd", "vmsplice",
    }  # fmt: skip
    assert allowed & dangerous == set()
    others = {
        tuple(rule["names"]): rule["action"] for rule in profile["syscalls"] if rule["action"] != "SCMP_ACT_ALLOW"
    }
    assert others == {("clone3",): "SCMP_ACT_TRACE"}  # without a tracer: not implemented, under either runtime
    families = [rule["args"][0]["value"] for rule in profile["syscalls"] if rule["names"] == ["socket"]]
    assert families == [1, 2, 10]  # unix, inet, inet6
    pairs = [rule["args"][0]["value"] for rule in profile["syscalls"] if "socketpair" in rule["names"]]
    assert pairs == [1]
