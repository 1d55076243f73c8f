"""One container from create to removal: our own deadline, the engine's own view, nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import MachineError
from harness.sandbox.container_log import init_failed, keep_log
from harness.sandbox.ending import Ending
from harness.sandbox.engine import Engine, translated
from harness.sandbox.engine_life import unbroken
from harness.sandbox.engine_view import differences, no_swap_limit
from harness.sandbox.host_memory import killed_for_memory, killed_in, peak_memory
from harness.sandbox.host_processor import ProcessorWatch
from harness.sandbox.owner import OWNER_LABEL, this_process
from harness.sandbox.profile import NONCE_LABEL, Profile, container_arguments

if TYPE_CHECKING:
    import docker.errors

_FIRST_POLL_S = 0.004
_LAST_POLL_S = 0.25
_WATCH_EVERY_S = 0.5
_LATE_CREATION_S = 3.0
# Words of the container runtime when a GPU's hook, the kernel or the disk is what fails.
_OUR_RUNTIME_FAULTS = (
    "hook", "no space left", "cannot allocate", "temporarily unavailable", "too many open", "seccomp", "cgroup",
)  # fmt: skip
Watch = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class ContainerOutcome:
    """How one container went, as facts. ``exit_code`` is None when nothing was started.

    ``timed_out`` and ``stopped_for`` (what the watch said) are ours, ``oom_killed`` is the word of the engine or of the
    kernel, for the engine misses some on a busy machine: no state is read out of an exit code. ``peak_memory_bytes`` is
    the highest seen, page cache included, or None when unknown.
    ``memory_short_outside``: the kernel killed for want of memory meanwhile, and not within this container's cap.
    ``busy_by_others`` is the share of the machine's processor time (0 to 1) used outside the container while it ran,
    None when unknown. ``start_error`` is for the organisers' eyes; ``start_unclear``: the image is most likely, not
    certainly, to blame.
    """

    started: bool
    exit_code: int | None
    oom_killed: bool
    timed_out: bool
    stopped_for: str | None
    wall_s: float
    peak_memory_bytes: int | None
    start_error: str = ""
    start_unclear: bool = False
    swap_not_capped: bool = False
    memory_short_outside: bool = False
    busy_by_others: float | None = None


def run_unprobed(
    engine: Engine,
    profile: Profile,
    image_id: str,
    *,
    deadline_s: float,
    log_path: Path | None = None,
    watch: Watch | None = None,
) -> ContainerOutcome:
    """Run ``image_id`` under ``profile`` and remove it, whatever happens, Ctrl-C included. For the preflight only:
    everything else goes through run_container, which asks the preflight first.

    ``deadline_s`` counts from the start; then SIGTERM, the profile's grace, SIGKILL. ``watch`` is asked twice a second
    and may end the run by returning a reason. ``log_path`` gets what the program printed, capped; for organisers.

    Raises MachineError: I_ENGINE when the engine fails or goes away, I_PROFILE when it made something else than asked.
    """
    arguments = container_arguments(profile, image_id)
    arguments["Labels"][OWNER_LABEL] = this_process()
    name = f"humdial-{profile.role}-{profile.nonce}"
    with removed_at_the_end(engine, name), unbroken(engine.address) as alive, closing(Ending()) as ending:
        refused = _create(engine, arguments, name)
        if refused is not None:
            return refused
        before = _inspect(engine, name)
        container = str(before["Id"])
        _require_agreement(arguments, before)
        kills_before = killed_for_memory()
        refused = _start(engine, container)
        if refused is not None:
            return refused
        outcome = _follow(engine, container, arguments, profile.limits.stop_grace_s, deadline_s, watch, ending)
        if not alive():
            raise MachineError(
                "the container engine stopped or was started again during the run", code="I_ENGINE", hint="run again"
            )
        if log_path is not None:
            keep_log(engine, container, log_path, profile.limits.log_bytes)
            if outcome.exit_code in (126, 127) and init_failed(log_path):
                return replace(outcome, started=False, start_error="the program could not be executed")
        short = not outcome.oom_killed and killed_for_memory() > kills_before
        return replace(outcome, swap_not_capped=no_swap_limit(before), memory_short_outside=short)


def remove_leftovers(engine: Engine, nonce: str | None = None, *, run: str = "") -> list[str]:
    """Remove containers of ours that a killed process left (with ``nonce``: that one only; with ``run``: those of
    that evaluation only). Returns their ids."""
    label = NONCE_LABEL if nonce is None else f"{NONCE_LABEL}={nonce}"
    with translated("list containers"):
        listed = engine.api.containers(all=True, filters={"label": label})
    begin = f"{run}-" if run else ""
    found = [str(entry["Id"]) for entry in listed if str(entry["Labels"][NONCE_LABEL]).startswith(begin)]
    for container in found:
        remove_container(engine, container)
    return found


@contextmanager
def removed_at_the_end(engine: Engine, name: str) -> Iterator[None]:
    """Remove the container ``name`` on the way out; by name, since Ctrl-C may come before its id is known."""
    try:
        yield
    except KeyboardInterrupt:
        # A request that we have left is not taken back: the engine may be about to make the container.
        give_up = time.monotonic() + _LATE_CREATION_S
        try:
            while not remove_container(engine, name) and time.monotonic() < give_up:
                time.sleep(0.05)
        except KeyboardInterrupt:  # a second Ctrl-C: once more, then obey
            remove_container(engine, name)
        raise
    except BaseException:
        remove_container(engine, name)
        raise
    else:
        remove_container(engine, name)


def remove_container(engine: Engine, container: str) -> bool:
    """Remove a container; False when there is none."""
    import docker.errors

    with translated("remove a container"):
        try:
            engine.api.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return False
        except docker.errors.APIError as error:
            if error.status_code != 409:  # 409: its removal is under way already
                raise
    return True


def _inspect(engine: Engine, container: str) -> dict[str, Any]:
    with translated("inspect a container"):
        found: dict[str, Any] = engine.api.inspect_container(container)
        # An answer of another shape is the engine's failure, here and not where it would be used.
        _, state = found["Id"], found["State"]
        _ = state["Status"], int(state["ExitCode"]), state["OOMKilled"]
    return found


def _require_agreement(arguments: dict[str, Any], inspected: dict[str, Any]) -> None:
    wrong = differences(arguments, inspected)
    if wrong:
        raise MachineError(
            f"the engine made a container with other settings than asked: {', '.join(wrong)}",
            code="I_PROFILE",
            hint="use a Docker engine that honours these settings (Docker Engine 20.10 or later)",
        )


def _create(engine: Engine, arguments: dict[str, Any], name: str) -> ContainerOutcome | None:
    """None when it is made; otherwise that the engine cannot make a container of this image."""
    import docker.errors

    with translated("create a container"):
        try:
            engine.api.create_container_from_config(arguments, name)
        except docker.errors.APIError as error:
            # 400: something in the request, of which the image's own settings are a part. A WorkingDir that cannot be
            # made is answered like a failure of the engine.
            if error.status_code == 400 or "Cannot mkdir" in _words(error):
                return _not_started(error, unclear=True)
            raise
    return None


def _start(engine: Engine, container: str) -> ContainerOutcome | None:
    """None when it runs; otherwise that the image's program cannot be started."""
    import docker.errors

    with translated("start a container"):
        try:
            engine.api.start(container)
        except docker.errors.APIError as error:
            if error.status_code == 400:  # the program is missing or not executable
                return _not_started(error, unclear=False)
            said = _words(error)
            # The engine works and the runtime gave up on this image (links where mounts go, an odd environment …),
            # unless it was for want of something on this machine.
            if "OCI runtime create failed" in said and not any(words in said for words in _OUR_RUNTIME_FAULTS):
                return _not_started(error, unclear=True)
            raise
    return None


def _words(error: docker.errors.APIError) -> str:
    return str(error.explanation or error)


def _not_started(error: docker.errors.APIError, *, unclear: bool) -> ContainerOutcome:
    return ContainerOutcome(False, None, False, False, None, 0.0, None, _words(error), unclear)


def _follow(
    engine: Engine,
    container: str,
    arguments: dict[str, Any],
    grace_s: float,
    deadline_s: float,
    watch: Watch | None,
    ending: Ending,
) -> ContainerOutcome:
    """Poll until the container has ended; end it when the deadline passes or ``watch`` says so."""
    start = time.monotonic()
    pause, next_watch, peak, kills = _FIRST_POLL_S, 0.0, None, None
    timed_out, killed, stopped_for, agreed = False, False, None, False
    processors = ProcessorWatch()
    while True:
        peak, kills = _higher(peak, peak_memory(container)), _higher(kills, killed_in(container))
        processors.look(container)
        inspected = _inspect(engine, container)
        if not agreed:
            _require_agreement(arguments, inspected)
            agreed = True
        elapsed = time.monotonic() - start
        state = inspected["State"]
        if state["Status"] == "exited":
            if state.get("Error"):  # the engine's own trouble with it, after it had started
                raise MachineError(
                    "the container engine failed to follow a container",
                    code="I_ENGINE",
                    hint="its log says why; run again",
                    detail=str(state["Error"]),
                )
            return ContainerOutcome(
                True,
                int(state["ExitCode"]),
                bool(state["OOMKilled"] or kills),
                timed_out,
                stopped_for,
                elapsed,
                peak,
                busy_by_others=processors.by_others(),
            )
        if state["Status"] in ("dead", "removing"):
            raise MachineError(
                "somebody removes a container while it is ours", code="I_ENGINE", hint="leave it alone and run again"
            )
        if watch is not None and stopped_for is None and elapsed >= next_watch:
            next_watch = elapsed + _WATCH_EVERY_S
            stopped_for = watch()
        if (stopped_for is not None or elapsed >= deadline_s + grace_s) and not killed:
            killed, timed_out = True, timed_out or stopped_for is None
            _signal(engine, container, "SIGKILL")
        elif elapsed >= deadline_s and not timed_out and stopped_for is None:
            timed_out = True
            _signal(engine, container, "SIGTERM")
        if engine.is_local:
            ending.watch(int(state.get("Pid") or 0))
        ended = ending.wait(min(pause, max(0.01, deadline_s - elapsed)) if not timed_out else min(pause, 0.05))
        pause = _FIRST_POLL_S if ended else min(pause * 1.5, _LAST_POLL_S)


def _signal(engine: Engine, container: str, signal: str) -> None:
    import docker.errors

    with translated("stop a container"):
        try:
            engine.api.kill(container, signal)
        except docker.errors.APIError as error:
            if error.status_code != 409:  # 409: it has ended meanwhile
                raise


def _higher(first: int | None, second: int | None) -> int | None:
    return second if first is None else first if second is None else max(first, second)
