"""What a container may do, as one value, and the engine's create request built from it. Pure: nothing is started here.

The reasons for each flag stand in docs/explanation/threat-model.md; test_profile.py holds the whole request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.spec import RunLimits
from harness.documents.codec import canonical_json
from harness.resources import data_dir

# A private user and group: no account on any host, and not the 65534 that other daemons share.
USER_ID = 64999
HOSTNAME = "sandbox"
NONCE_LABEL = "humdial.nonce"
ROLE_LABEL = "humdial.role"
_TMPFS_COMMON = "rw,exec,nosuid,nodev,mode=1777"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the engine's machine at ``target`` in the container."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """One container. ``command`` and ``entrypoint`` replace the image's own when they are not None;
    ``gpu`` is a device's UUID, or several with commas between; ``user_id`` differs from ours only where the output
    folder demands it;
    ``runtime`` is the engine's name of what starts the container (empty: the one that the site chose)."""

    role: str
    nonce: str
    limits: RunLimits
    mounts: tuple[Mount, ...]
    environment: tuple[tuple[str, str], ...]
    seccomp: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    gpu: str | None = None
    user_id: int = USER_ID
    runtime: str = ""


def seccomp_text() -> str:
    """Our system call allow-list, as the JSON text that the engine wants."""
    return (data_dir("sandbox") / "seccomp.json").read_text("utf-8")


def container_arguments(profile: Profile, image_id: str) -> dict[str, Any]:
    """The body of the engine's create request for ``image_id``: nothing is left to the engine's defaults or the
    image's wishes that could widen what the container may do."""
    arguments: dict[str, Any] = {
        "Image": image_id,
        "Hostname": HOSTNAME,
        "Domainname": "",
        "User": f"{profile.user_id}:{profile.user_id}",
        "Env": [f"{key}={value}" for key, value in profile.environment] + _gpu_environment(profile.gpu),
        "Labels": {NONCE_LABEL: profile.nonce, ROLE_LABEL: profile.role},
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Tty": False,
        "NetworkDisabled": True,
        # The image may not have commands of its own run on a timer.
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(profile),
    }
    if profile.entrypoint is not None:
        arguments["Entrypoint"] = list(profile.entrypoint)
    if profile.command is not None:
        arguments["Cmd"] = list(profile.command)
    return arguments


def profile_sha256(profile: Profile, image_id: str = "") -> str:
    """Digest of everything in the request that is the same for every run: no paths of this machine, no nonce."""
    arguments = container_arguments(profile, image_id)
    arguments["Labels"] = {ROLE_LABEL: profile.role}
    for mount in arguments["HostConfig"]["Mounts"]:
        mount["Source"] = ""
    return hashlib.sha256(canonical_json(arguments)).hexdigest()


def _host_config(profile: Profile) -> dict[str, Any]:
    limits = profile.limits
    return {
        "NetworkMode": "none",
        "Runtime": profile.runtime,
        "Dns": ["127.0.0.1"],
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": [],
        "SecurityOpt": ["no-new-privileges", f"seccomp={profile.seccomp}"],
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "CgroupnsMode": "private",
        "ShmSize": limits.shm_bytes,
        "Memory": limits.memory_bytes,
        # Equal to Memory: no swap, so the cap is the cap.
        "MemorySwap": limits.memory_bytes,
        "OomKillDisable": False,
        "OomScoreAdj": 500,
        "NanoCpus": int(limits.cpus * 1_000_000_000),
        "PidsLimit": limits.pids,
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": limits.nofile, "Hard": limits.nofile},
        ],
        # exec, because compilers of machine learning libraries run what they put there.
        "Tmpfs": {"/tmp": f"{_TMPFS_COMMON},size={limits.tmp_bytes},nr_inodes={limits.tmp_inodes}"},
        "Mounts": [_mount(mount) for mount in profile.mounts],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": str(limits.log_bytes), "max-file": "2"}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": False,
        "PublishAllPorts": False,
        "Init": True,
        "Devices": [],
        "DeviceRequests": _gpu_requests(profile.gpu),
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def _gpu_requests(gpu: str | None) -> list[dict[str, Any]]:
    if gpu is None:
        return []
    return [
        {"Driver": "nvidia", "Count": 0, "DeviceIDs": gpu.split(","), "Capabilities": [["gpu", "compute", "utility"]]}
    ]


def _gpu_environment(gpu: str | None) -> list[str]:
    """Set in both cases, because images ask for all devices and an engine may obey."""
    if gpu is None:
        return ["NVIDIA_VISIBLE_DEVICES=void"]
    return [f"NVIDIA_VISIBLE_DEVICES={gpu}", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"]
