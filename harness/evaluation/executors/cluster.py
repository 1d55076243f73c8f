"""Workers on the nodes of a Ray cluster: a running one by its address, or one on this machine. Ray lives in this file.

Each node uses its own container engine, its own judge and its own cache; the run directory, the inputs, the references
and what teams handed in lie under the same paths everywhere. A CPU of Ray's is one task; where the cluster has GPUs, a
team's container and a judge's have one each to themselves.

Ray is told not to repeat a task by itself. A task whose node is lost is begun again elsewhere in a folder of its own,
so that a node that is cut off but still works cannot write into what the others made.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, MachineError, UsageError
from harness.evaluation.tasks import Failure, PrepareTask, Result, RunTask, Setting, Task
from harness.evaluation.worker import code_digest, execute
from harness.judge.prompts import OWN
from harness.sandbox import connect
from harness.sandbox.leftovers import clean_run

# How often a task may lose its node before the campaign hears of it, and how long stopped tasks have to clean up.
_LOSSES = 5
_STOP_S = 60.0
# How long nodes may be away before it is said that none is left.
_PATIENCE_S = 120.0
_ON_GPU = ("run", "hear", "judge")
Tell = Callable[[str], None]
_REACH_S = 10.0
# The store for large objects that Ray wants; documents are small.
_OBJECT_STORE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Done:
    """What comes back from a node: the result, and where it was made (the node's id, and the GPU it had)."""

    result: Result
    node: str
    gpu: str | None


@dataclass(slots=True)
class _Running:
    """``cpus`` and ``gpu``: what Ray was told that it needs."""

    number: int
    task: Task
    losses: int = 0
    cpus: int = 1
    gpu: bool = False


class RayExecutor:
    """``address`` is a cluster's, ``auto`` (the one that runs on this machine) or ``local`` (a new one on this machine,
    with ``workers`` CPUs). ``places`` says of each finished task where it was done: stage, node, GPU;
    ``tell`` hears of lost nodes. ``folder`` is the run directory."""

    shares_this_machine = False

    def __init__(
        self, setting: Setting, folder: Path, workers: int, address: str, tell: Tell = lambda text: None
    ) -> None:
        self._setting, self._folder, self._tell = setting, folder, tell
        self._ray = _connected(address, workers)
        self._running: dict[Any, _Running] = {}
        self._no_node_since: float | None = None
        self.places: list[tuple[str, str, str | None]] = []
        self._remote = self._ray.remote(_do)
        try:
            self._clean_nodes()
        except BaseException:
            self._ray.shutdown()
            raise

    @property
    def gpus(self) -> int:
        """How many GPUs the cluster has now."""
        return int(self._ray.cluster_resources().get("GPU", 0))

    def submit(self, number: int, task: Task) -> None:
        self._begin(_Running(number, task))

    def wait(self, timeout_s: float) -> Sequence[tuple[int, Result]]:
        if not self._running:
            return []
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        found = [each for each in map(self._taken, done) if each is not None]
        return found or self._hopeless()

    def close(self, *, stop: bool) -> None:
        """``stop``: the tasks are cancelled, which stops their containers. Whatever lost nodes left is removed."""
        for reference in self._running if stop else ():
            self._ray.cancel(reference, force=False)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=_STOP_S)
            self._running.clear()
        with suppress(MachineError):
            self._clean_nodes()
        self._ray.shutdown()

    def _begin(self, running: _Running) -> None:
        task = running.task
        tried = replace(task, work=_trial(running))
        running.gpu = task.stage in _ON_GPU and self.gpus > 0
        running.cpus = self._cpus(task, gpu=running.gpu)
        remote = self._remote.options(
            num_cpus=running.cpus, num_gpus=int(running.gpu), max_retries=0, name=f"{task.stage} {task.team}"
        )
        self._running[remote.remote(tried, self._setting, code_digest(), os.environ.get(OWN))] = running

    def _cpus(self, task: Task, *, gpu: bool) -> int:
        """One; where delays are measured, an image has a node to itself, one of the largest that it can run on."""
        if self._setting.hearing is None or not isinstance(task, RunTask):
            return 1
        nodes = [node.get("CPU", 0) for node in self._nodes() if not gpu or node.get("GPU", 0) >= 1]
        return max(1, int(max(nodes, default=1)))

    def _nodes(self) -> list[dict[str, float]]:
        """What each node that is there has."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _taken(self, reference: Any) -> tuple[int, Result] | None:
        """The result of a task that ended; None when its node was lost and it is begun again."""
        running = self._running.pop(reference)
        task, trial = running.task, _trial(running)
        try:
            done: Done = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return running.number, _failed(f"a task failed on its node: {error.cause!r}", str(error), again=False)
        except self._ray.exceptions.RayError as error:
            shutil.rmtree(trial, ignore_errors=True)
            running.losses += 1
            if running.losses > _LOSSES:
                return running.number, _failed(f"its node was lost {running.losses} times", str(error), again=True)
            self._tell(f"{task.team}: the node of its {task.stage} was lost; it is done again elsewhere")
            self._begin(running)
            return None
        self.places.append((task.stage, done.node, done.gpu))
        if trial.exists():
            shutil.rmtree(task.work, ignore_errors=True)
            trial.rename(task.work)
        return running.number, done.result

    def _hopeless(self) -> list[tuple[int, Result]]:
        """Tasks that would wait for ever, because for a while no node has been there that could do them."""
        nodes = self._nodes()
        lost = {
            reference: running
            for reference, running in self._running.items()
            if not any(node.get("CPU", 0) >= running.cpus and node.get("GPU", 0) >= int(running.gpu) for node in nodes)
        }
        if not lost:
            self._no_node_since = None
            return []
        now = time.monotonic()
        self._no_node_since = self._no_node_since or now
        if now - self._no_node_since < _PATIENCE_S:
            return []
        found: list[tuple[int, Result]] = []
        for reference, running in lost.items():
            wanted = "GPU" if running.gpu else "CPU"
            what = f"the cluster has no {wanted} left for it" + (f" ({running.cpus} CPUs)" if running.cpus > 1 else "")
            hint = "start nodes again, then run the same command again"
            found.append((running.number, Failure("I_CLUSTER", what, hint, False)))
            self._ray.cancel(reference, force=False)
            del self._running[reference]
        self._no_node_since = None
        return found

    def _clean_nodes(self) -> None:
        """Containers of this run that a killed process or a lost node left, on every node that is there."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        clean = self._ray.remote(_clean)
        asked, run = [], self._setting.run
        for node in self._ray.nodes():
            if node["Alive"]:
                there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                asked.append(
                    clean.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote(run, self._folder)
                )
        done, _ = self._ray.wait(asked, num_returns=len(asked), timeout=_STOP_S)
        for reference in done:
            with suppress(self._ray.exceptions.RayError):
                self._ray.get(reference)


def _do(task: Task, setting: Setting, code: str, prompts: str | None) -> Done:
    """On a node: one task. ``prompts`` is the folder of the organisers' own ones, if they have any."""
    import ray

    os.environ.pop(OWN, None)
    if prompts is not None:
        os.environ[OWN] = prompts
    context = ray.get_runtime_context()
    node, gpus = str(context.get_node_id()), [str(each) for each in ray.get_gpu_ids()]
    gpu = gpus[0] if gpus else None
    if code_digest() != code:
        what = "another humdial is installed on a node than the one that evaluates"
        return Done(Failure("E_PIN", what, "install the same version on every node", False), node, gpu)
    if not isinstance(task, PrepareTask):
        task = replace(task, gpu=gpu)
    return Done(execute(task, setting), node, gpu)


def _clean(run: str, folder: Path) -> None:
    """On a node: remove the containers of ``run`` and their mounts. A node without an engine has none."""
    with suppress(HarnessError):
        clean_run(connect(), run, folder)


def _trial(running: _Running) -> Path:
    """Where a task works: beside the folder that it is to fill, another one each time."""
    work = running.task.work
    return work.with_name(f"{work.name}.{running.number}-{running.losses}")


def _failed(what: str, detail: str, *, again: bool) -> Failure:
    return Failure("I_WORKER", what, "run the same command again; what is finished is kept", again, detail)


def _connected(address: str, workers: int) -> Any:
    """Ray, connected. Raises UsageError (E_USAGE) without the library, MachineError (I_CLUSTER) without a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with _own_signals():
        try:
            import ray
        except ImportError as error:
            raise UsageError(
                f"--executor ray needs a library that is not installed ({error.name})",
                code="E_USAGE",
                hint="pip install 'humdial-harness[cluster]'",
            ) from error
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        here = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        try:
            _reach(address)
            ray.init(address=address, **settings, **(here if address == "local" else {}))
        except Exception as error:  # Ray raises many kinds here; this is its border
            raise MachineError(
                f"the Ray cluster {address} cannot be used: {error}",
                code="I_CLUSTER",
                hint="`ray status` says whether it runs; --ray-address local begins one on this machine",
            ) from error
    return ray


def _reach(address: str) -> None:
    """Ray would try for minutes. Raises OSError, ValueError."""
    if address not in ("local", "auto"):
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), _REACH_S).close()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray replaces the handler of SIGTERM, which stops our containers."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
