"""What this machine's kernel says about memory: of one container, and of everything it had to end for want of it."""

from __future__ import annotations

from pathlib import Path


def peak_memory(container: str) -> int | None:
    """The container's high-water mark in bytes from its control group, when this machine shows it (version 1, then 2).

    Page cache counts."""
    try:
        return int(_of_group(container, "memory.max_usage_in_bytes", "memory.peak"))
    except ValueError:
        return None


def killed_in(container: str) -> int | None:
    """How many processes of the container the kernel has killed for want of memory since it met its cap, when this
    machine shows it. Without that they are the machine's want, which the kernel counts here too."""
    events = _counts(_of_group(container, "memory.oom_control", "memory.events"))
    if "oom" not in events:  # version 1 does not count how often the cap was met
        cap, peak = _of_group(container, "memory.limit_in_bytes", "memory.max"), peak_memory(container)
        events["oom"] = peak is not None and cap.strip().isdecimal() and peak >= int(cap)
    return events.get("oom_kill") if events["oom"] else None


def killed_for_memory() -> int:
    """How many processes the kernel has killed for want of memory since it started; 0 when it does not tell."""
    try:
        return _counts(Path("/proc/vmstat").read_text("ascii")).get("oom_kill", 0)
    except OSError:
        return 0


def _of_group(container: str, first: str, second: str) -> str:
    """A file of the container's control group, by its name in version 1 and in version 2; empty when there is none."""
    for folder, name in (("/sys/fs/cgroup/memory", first), ("/sys/fs/cgroup", second)):
        for group in (f"docker/{container}", f"system.slice/docker-{container}.scope"):
            try:
                return Path(folder, group, name).read_text("ascii")
            except OSError:
                continue
    return ""


def _counts(text: str) -> dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}
