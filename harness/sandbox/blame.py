"""How a run went and whose fault it was, from facts alone. Pure.

The facts are the engine's word (started, ended for memory), our own deadline and watch, the state of the output store
and the kernel's count of processes that it killed for want of memory. An exit code only ever tells whether the program
said that all is well; which number it was tells nothing, since a program can end with any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.challenge.spec import RunLimits
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.documents.run_record import Fault, RunState
from harness.sandbox.container import ContainerOutcome


@dataclass(frozen=True, slots=True)
class Blame:
    """``findings`` say in codes why ``state`` and ``fault`` are what they are."""

    state: RunState
    fault: Fault
    findings: tuple[Finding, ...] = ()


def blame(outcome: ContainerOutcome, limits: RunLimits, *, full: str | None, has_outputs: bool) -> Blame:
    """State and fault, most certain facts first.

    ``full`` is the cap of /output that was reached (``bytes`` or ``files``), if one was.
    """
    if not outcome.started:
        return Blame("start_failed", "unclear" if outcome.start_unclear else "submission", (finding("R_START"),))
    if outcome.stopped_for is not None or (full is not None and outcome.exit_code != 0):
        return Blame("output_too_large", "submission", (_over_the_cap(full, limits),))
    if outcome.timed_out:
        return Blame("timed_out", "submission", (finding("R_TIMEOUT", wall_s=limits.wall_s),))
    if outcome.oom_killed and outcome.exit_code != 0:
        return Blame("out_of_memory", "submission", (finding("R_OOM", memory_bytes=limits.memory_bytes),))
    if outcome.exit_code != 0:
        # The kernel killed something for want of memory, and not within this container's cap: perhaps this program.
        fault: Fault = "unclear" if outcome.memory_short_outside else "submission"
        return Blame("failed", fault, (finding("R_EXIT", exit_code=outcome.exit_code),))
    notes = [finding("W_OOM")] if outcome.oom_killed else []
    if full is not None:
        notes.append(replace(_over_the_cap(full, limits), severity="warning"))
    if not has_outputs:
        return Blame("output_missing", "submission", (*notes, finding("R_NO_OUTPUT")))
    return Blame("completed", "none", tuple(notes))


def _over_the_cap(full: str | None, limits: RunLimits) -> Finding:
    if full == "files":
        return finding("E_OUT_COUNT", cap=limits.output_inodes)
    return finding("E_OUT_SIZE", path="'/output'", cap=limits.output_bytes)
