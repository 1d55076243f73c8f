"""What this machine's kernel says about its processors: how busy they are, by whom, and at what clock."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

_STAT = Path("/proc/stat")
_SYSTEM = Path("/sys/devices/system")
# user nice system idle iowait irq softirq steal; what a guest uses is in user and nice already.
_IDLE = frozenset({3, 4})
_FIELDS = 8


def busy_s() -> float | None:
    """Processor seconds in use since the machine started, all processors together; what a hypervisor took away counts,
    since somebody else had it. None when the kernel does not tell."""
    try:
        first = _STAT.read_text("ascii").splitlines()[0].split()
        ticks = [int(value) for place, value in enumerate(first[1 : _FIELDS + 1]) if place not in _IDLE]
    except (OSError, ValueError, IndexError):
        return None
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def container_s(container: str) -> float | None:
    """Processor seconds that a container has used, from its control group (version 1, then 2); None when not shown."""
    for parent in ("docker/{}", "system.slice/docker-{}.scope"):
        place = parent.format(container)
        try:
            return int(Path(f"/sys/fs/cgroup/cpuacct/{place}/cpuacct.usage").read_text("ascii")) / 1e9
        except (OSError, ValueError):
            pass
        try:
            lines = Path(f"/sys/fs/cgroup/{place}/cpu.stat").read_text("ascii").splitlines()
            return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6
        except (OSError, ValueError, KeyError):
            continue
    return None


def busy_share(over_s: float) -> float | None:
    """The share of all processor time in use over the next ``over_s`` seconds, from 0 to 1."""
    began, before = time.monotonic(), busy_s()
    time.sleep(over_s)
    after = busy_s()
    if before is None or after is None:
        return None
    return _share(after - before, time.monotonic() - began)


def _share(used_s: float, wall_s: float) -> float | None:
    if wall_s <= 0:
        return None
    return round(min(max(used_s / (wall_s * processors()), 0.0), 1.0), 4)


def processors() -> int:
    return os.cpu_count() or 1


@dataclass(slots=True)
class ProcessorWatch:
    """Who used the processors while a container ran: looked at as often as the container itself is. The machine's and
    the container's use are read together, so the last look at a living container is the end of the account."""

    _first: tuple[float, float, float] | None = None
    _last: tuple[float, float, float] | None = None

    def look(self, container: str) -> None:
        machine, own = busy_s(), container_s(container)
        if machine is None or own is None:
            return
        self._last = (time.monotonic(), machine, own)
        self._first = self._first or self._last

    def by_others(self) -> float | None:
        """The share of all processor time that was used outside the container; None without two looks."""
        if self._first is None or self._last is None:
            return None
        wall_s, machine, own = (last - first for first, last in zip(self._first, self._last, strict=True))
        return _share(machine - own, wall_s)


def processor_mhz() -> float | None:
    """The mean clock of the processors right now."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        found = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
    except (OSError, ValueError):
        return None
    return round(fmean(found), 1) if found else None


def governor() -> str:
    """What chooses the processors' clock; empty when this machine has none (a virtual one)."""
    return _word(_SYSTEM / "cpu/cpu0/cpufreq/scaling_governor")


def clock_source() -> str:
    """The kernel's time source."""
    return _word(_SYSTEM / "clocksource/clocksource0/current_clocksource")


def _word(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()[:64]
    except (OSError, ValueError):
        return ""
