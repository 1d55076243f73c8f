"""The official limits held against what the machine has. Pure."""

from __future__ import annotations

from dataclasses import replace

from harness.challenge.spec import RunLimits
from harness.sandbox.engine import Host

_RESERVE_BYTES = 512 * 1024**2
_RESERVE_SHARE = 10


def effective_limits(official: RunLimits, host: Host) -> tuple[RunLimits, tuple[str, ...]]:
    """The limits of a run on ``host`` and the names of those that had to be lowered.

    A tenth of the machine's memory, at least 512 MiB, stays free for the engine and for us. /tmp, /dev/shm and
    /output lie in memory and count against the container, so each is kept to a quarter of it.
    """
    room = host.memory_bytes - max(_RESERVE_BYTES, host.memory_bytes // _RESERVE_SHARE)
    memory = max(min(official.memory_bytes, room), _RESERVE_BYTES // 8)
    lowered = replace(official, memory_bytes=memory, cpus=min(official.cpus, float(host.cpus)))
    if memory < official.memory_bytes:
        lowered = replace(
            lowered,
            tmp_bytes=min(official.tmp_bytes, memory // 4),
            shm_bytes=min(official.shm_bytes, memory // 4),
            output_bytes=min(official.output_bytes, memory // 4),
        )
    names = tuple(name for name in RunLimits.__dataclass_fields__ if getattr(lowered, name) != getattr(official, name))
    return lowered, names
