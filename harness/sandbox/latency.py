"""The latency protocol around one container: the machine to itself, seen to be idle, its load and clocks written down.

Two runs that measure delays never run at once on a machine. Whatever else runs is not stopped: it is seen, waited for
a while, and if it stays the delays are marked as measured on a shared machine.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.challenge.duplex import LatencyRules
from harness.documents.latency import Clocks, GpuState, LatencyConditions
from harness.errors import MachineError
from harness.sandbox.container import ContainerOutcome
from harness.sandbox.engine import Engine, translated
from harness.sandbox.host_processor import busy_share, clock_source, governor, processor_mhz, processors

_LOCK = "humdial-latency.lock"
_ASK_EVERY_S = 0.2
_GPU_FIELDS = "utilization.gpu,memory.used,clocks.sm,clocks.max.sm"
_GPU_IDLE_PERCENT = 5.0


@dataclass(frozen=True, slots=True)
class QuietMachine:
    """What was seen before the container started."""

    rules: LatencyRules
    started_at: str
    lock_waited_s: float
    idle_waited_s: float
    busy: float | None
    load: tuple[float, float, float]
    other_containers: int
    mhz: float | None
    gpu: GpuState | None
    wants_gpu: bool

    def conditions(self, outcome: ContainerOutcome) -> LatencyConditions:
        """The whole account, once the container has ended."""
        why = tuple(self._reasons(outcome.busy_by_others))
        return LatencyConditions(
            shared=bool(why),
            why=why,
            started_at=self.started_at,
            lock_waited_s=self.lock_waited_s,
            idle_waited_s=self.idle_waited_s,
            busy_before=self.busy,
            busy_by_others=outcome.busy_by_others,
            load_before=self.load,
            load_after=_load(),
            other_containers=self.other_containers,
            processors=processors(),
            clocks=Clocks(
                source=clock_source(),
                resolution_s=time.get_clock_info("monotonic").resolution,
                processor_mhz=(self.mhz, processor_mhz()),
                governor=governor(),
            ),
            gpu=self.gpu,
            warm_up=self.rules.warm_up,
        )

    def _reasons(self, by_others: float | None) -> Iterator[str]:
        top = self.rules.max_busy
        for share, when in ((self.busy, "before the run"), (by_others, "by others during the run")):
            if share is None:
                yield f"what was used {when} cannot be told on this machine"
            elif share > top:
                yield f"{share:.0%} of the processors were used {when}; {top:.0%} are allowed"
        if self.other_containers:
            yield f"{self.other_containers} other containers were running"
        if self.wants_gpu and self.gpu is None:
            yield "the GPU could not be looked at"
        elif self.gpu is not None and self.gpu.busy_percent > _GPU_IDLE_PERCENT:
            yield f"the GPU was {self.gpu.busy_percent:.0f} % busy before the run"


@contextmanager
def quiet_machine(engine: Engine, rules: LatencyRules, *, gpu: str | None, patience_s: float) -> Iterator[QuietMachine]:
    """The machine's lock, held until the block ends, and a look at who else uses it. Waits up to ``rules.wait_s`` for
    an idle machine and goes on without one.

    Raises MachineError (I_LATENCY_LOCK) when another such run still holds the machine after ``patience_s``.
    """
    with machine_lock(patience_s) as waited_s:
        began = time.monotonic()
        while True:
            busy, others = busy_share(rules.sample_s), _running(engine)
            idle = busy is not None and busy <= rules.max_busy and not others
            if idle or time.monotonic() - began >= rules.wait_s:
                break
            time.sleep(_ASK_EVERY_S)
        yield QuietMachine(
            rules=rules,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            lock_waited_s=round(waited_s, 1),
            idle_waited_s=round(time.monotonic() - began, 1),
            busy=busy,
            load=_load(),
            other_containers=others,
            mhz=processor_mhz(),
            gpu=None if gpu is None else _gpu_state(gpu),
            wants_gpu=gpu is not None,
        )


@contextmanager
def machine_lock(patience_s: float, folder: Path | None = None) -> Iterator[float]:
    """Hold the one lock of this machine; yields the seconds that it took. It ends with its holder, also a killed one.

    ``folder`` is where it lies, /run/lock as a rule. Raises MachineError (I_LATENCY_LOCK) after ``patience_s``.
    """
    began = time.monotonic()
    path = (folder or _lock_folder()) / _LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _no_lock(f"{path} cannot be opened: {error.strerror}") from error
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() - began >= patience_s:
                    raise _no_lock("another run that measures delays has it") from error
                time.sleep(_ASK_EVERY_S)
        yield time.monotonic() - began
    finally:
        os.close(descriptor)


def _no_lock(why: str) -> MachineError:
    return MachineError(
        f"this machine cannot be had alone: {why}",
        code="I_LATENCY_LOCK",
        hint="wait for the other run to end, then run again",
    )


def _lock_folder() -> Path:
    """A folder that every user of this machine shares."""
    usual = Path("/run/lock")
    return usual if os.access(usual, os.W_OK) else Path(tempfile.gettempdir())


def _running(engine: Engine) -> int:
    with translated("list running containers"):
        return len(engine.api.containers(filters={"status": "running"}))


def _load() -> tuple[float, float, float]:
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def _gpu_state(gpu: str) -> GpuState | None:
    command = ["nvidia-smi", f"--id={gpu}", f"--query-gpu={_GPU_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_gpu_state(done.stdout)


def read_gpu_state(said: str) -> GpuState | None:
    """From the tool's one line of numbers; None when it is not that."""
    try:
        return GpuState(*(float(value) for value in said.strip().split(",")))
    except (TypeError, ValueError):
        return None
