"""What this machine's kernel says about memory: of one container, and of everything it had to end for want of it."""

from __future__ import annotations

from pathlib import Path


def peak_memory(container: str) -> int | None:
    """The container's high-water mark in bytes from its control group, when this machine shows it (version 1, then 2).

    Page cache counts."""
    for path in (
        f"/sys/fs/cgroup/memory/docker/{container}/memory.max_usage_in_bytes",
        f"/sys/fs/cgroup/memory/system.slice/docker-{container}.scope/memory.max_usage_in_bytes",
        f"/sys/fs/cgroup/docker/{container}/memory.peak",
        f"/sys/fs/cgroup/system.slice/docker-{container}.scope/memory.peak",
    ):
        try:
            return int(Path(path).read_text("ascii"))
        except (OSError, ValueError):
            continue
    return None


def killed_for_memory() -> int:
    """How many processes the kernel has killed for want of memory since it started; 0 when it does not tell."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text("ascii").splitlines())
        return int(counts.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0
