"""Under what conditions a run measured delays. All of it is for organisers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks that shape a delay: ``source`` is the kernel's time source, ``resolution_s`` the step of the monotonic
    clock, ``processor_mhz`` the mean over processors before and after the container (None where the machine does not
    tell), ``governor`` what chooses it."""

    source: str
    resolution_s: float
    processor_mhz: tuple[float | None, float | None]
    governor: str


@dataclass(frozen=True, slots=True)
class GpuState:
    """The run's GPU before its container started, as the driver's own tool says it."""

    busy_percent: float
    memory_used_mib: float
    clock_mhz: float
    top_clock_mhz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyConditions:
    """The latency protocol of one run. ``shared``: others used the machine, or it cannot be shown that nobody did;
    ``why`` says what was seen.

    ``lock_waited_s`` is how long another run that measures delays held the machine. ``busy_before`` is the share of
    the machine's processor time (0 to 1, time taken by a hypervisor included) in use over the last look before the
    start, ``busy_by_others`` the share used outside the container while it ran; None where it cannot be told.
    ``load_before`` and ``load_after`` are load averages over 1, 5 and 15 minutes. ``warm_up`` is how many inputs were
    put first in each folder and answered for nothing.
    """

    shared: bool
    why: tuple[str, ...]
    started_at: str
    lock_waited_s: float
    idle_waited_s: float
    busy_before: float | None
    busy_by_others: float | None
    load_before: tuple[float, float, float]
    load_after: tuple[float, float, float]
    other_containers: int
    processors: int
    clocks: Clocks
    gpu: GpuState | None
    warm_up: int
