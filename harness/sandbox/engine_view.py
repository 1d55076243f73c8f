"""Compares what the engine says it made with what was asked of it. Pure: an engine that drops a flag, a proxy that
adds one or an image that widens its own room is seen before the program inside has run."""

from __future__ import annotations

from typing import Any

# Host settings that we never ask for: each would widen what the container may do.
_MUST_BE_EMPTY = (
    "Annotations",
    "Binds",
    "CapAdd",
    "Cgroup",
    "CgroupParent",
    "ContainerIDFile",
    "DeviceCgroupRules",
    "ExtraHosts",
    "GroupAdd",
    "Links",
    "PortBindings",
    "StorageOpt",
    "Sysctls",
    "UsernsMode",
    "VolumeDriver",
    "VolumesFrom",
)
# What the request says of the program itself.
_COMPARED = (
    "User", "Hostname", "Domainname", "Tty", "OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr",
    "NetworkDisabled", "Entrypoint", "Cmd",
)  # fmt: skip
# What the engine hides or locks below /proc and /sys by itself; an empty list says that somebody took that away.
_MUST_NOT_BE_EMPTIED = ("MaskedPaths", "ReadonlyPaths")


def differences(arguments: dict[str, Any], inspected: dict[str, Any]) -> list[str]:
    """Names of the settings in which ``inspected`` (the engine's view) is not what ``arguments`` asked for."""
    wanted, found = arguments["HostConfig"], inspected.get("HostConfig") or {}
    wrong = [name for name in wanted if not _equal(name, wanted[name], found.get(name))]
    wrong += [name for name in _MUST_BE_EMPTY if found.get(name) and name not in wanted]
    wrong += [name for name in _MUST_NOT_BE_EMPTIED if found.get(name) == []]
    wrong += _config_differences(arguments, inspected.get("Config") or {})
    if inspected.get("Image") != arguments["Image"]:
        wrong.append("Image")
    mounts = {(m["Target"], m["Source"], not m["ReadOnly"]) for m in wanted["Mounts"]}
    if {(m["Destination"], m["Source"], m["RW"]) for m in inspected.get("Mounts") or []} != mounts:
        wrong.append("Mounts (in effect)")
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    if set(networks) - {"none"}:
        wrong.append("Networks")
    return wrong


def no_swap_limit(inspected: dict[str, Any]) -> bool:
    """Whether this kernel cannot cap swap: the memory cap then holds without it, which is worth a note."""
    return (inspected.get("HostConfig") or {}).get("MemorySwap") == -1


def _equal(name: str, wanted: Any, found: Any) -> bool:
    if not wanted and not found:  # the engine says null, [], {} and "" for the same thing
        return True
    if name == "MemorySwap":
        return found in (wanted, -1)
    if name == "Ulimits":
        return _sorted(wanted, "Name") == _sorted(found, "Name")
    if name == "Mounts":
        return _sorted([_plain_mount(m) for m in wanted], "Target") == _sorted(
            [_plain_mount(m) for m in found or []], "Target"
        )
    if name == "DeviceRequests":
        return [_true_values(request) for request in wanted] == [_true_values(request) for request in found or []]
    return bool(wanted == found)


def _config_differences(arguments: dict[str, Any], found: dict[str, Any]) -> list[str]:
    wrong: list[str] = [
        name for name in _COMPARED if name in arguments and (arguments[name] or None) != (found.get(name) or None)
    ]
    if not set(arguments["Env"]) <= set(found.get("Env") or []):
        wrong.append("Env")
    labels = found.get("Labels") or {}
    if any(labels.get(key) != value for key, value in arguments["Labels"].items()):
        wrong.append("Labels")
    if (found.get("Healthcheck") or {}).get("Test") != ["NONE"]:
        wrong.append("Healthcheck")
    if found.get("Volumes"):
        wrong.append("Volumes")
    return wrong


def _plain_mount(mount: dict[str, Any]) -> dict[str, Any]:
    return {key: mount.get(key) or None for key in ("Type", "Source", "Target", "ReadOnly")}


def _true_values(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if value}


def _sorted(values: list[dict[str, Any]] | None, key: str) -> list[dict[str, Any]]:
    return sorted(values or [], key=lambda value: str(value.get(key)))
