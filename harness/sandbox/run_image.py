"""One team image from its name to its collected outputs: staged, run, collected, and whose fault it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.challenge.duplex import LatencyRules
from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codes import finding
from harness.documents.finding import Finding
from harness.documents.latency import LatencyConditions
from harness.documents.reference import ReferenceDialogue
from harness.documents.run_record import Fault, OutputFile, RunHost, RunRecord, RunState
from harness.errors import MachineError, UsageError
from harness.sandbox.attempted_hosts import attempted_hosts, host_to_tell
from harness.sandbox.blame import blame
from harness.sandbox.collector import collect_outputs
from harness.sandbox.container import ContainerOutcome, remove_leftovers
from harness.sandbox.engine import Engine
from harness.sandbox.image_rules import Image, check_image, choose_command
from harness.sandbox.image_tar import ArchiveRefused
from harness.sandbox.images import resolve_image, run_sh_mode
from harness.sandbox.latency import quiet_machine
from harness.sandbox.limits import effective_limits
from harness.sandbox.nonce import new_nonce
from harness.sandbox.output_store import Mode, OutputStore, output_store, release
from harness.sandbox.profile import Mount, Profile, profile_sha256, seccomp_text
from harness.sandbox.run_container import run_container, run_host
from harness.sandbox.staging import Staged, stage_inputs
from harness.sandbox.staging_pairs import PairFiles, StagedPairs, stage_pairs

INPUT, OUTPUT = "/input", "/output"
SUBMISSION = "submission"
LOG = "container.log"
WORK = ".work"  # below the run's folder: staged inputs and the store, gone at the end


@dataclass(slots=True)
class _Run:
    """What is known of the run so far; becomes the record."""

    image_id: str
    limits: RunLimits
    measures: LatencyRules | None = None
    profile_sha256: str = ""
    output_mode: str = ""
    host: RunHost | None = None
    wanted_host: str = ""
    outcome: ContainerOutcome | None = None
    latency: LatencyConditions | None = None
    outputs: tuple[OutputFile, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    def record(self, state: RunState, fault: Fault) -> tuple[RunRecord, tuple[Finding, ...]]:
        outcome = self.outcome
        limits: dict[str, Any] = {**asdict(self.limits), "output_mode": self.output_mode}
        record = RunRecord(
            schema_version=1,
            image_id=self.image_id,
            state=state,
            fault=fault,
            exit_code=outcome.exit_code if outcome else None,
            oom_killed=outcome.oom_killed if outcome else False,
            wall_s=round(outcome.wall_s, 3) if outcome else 0.0,
            peak_memory_bytes=outcome.peak_memory_bytes if outcome else None,
            outputs=self.outputs,
            limits=limits,
            profile_sha256=self.profile_sha256,
            codes=tuple(sorted({f.code for f in self.findings if not f.code.startswith("W_")})),
            warnings=tuple(sorted({f.code for f in self.findings if f.code.startswith("W_")})),
            host=self.host,
            wanted_host=self.wanted_host,
            latency=self.latency,
        )
        return record, tuple(self.findings)


def run_team_image(
    engine: Engine,
    image: str,
    items: Sequence[ReferenceDialogue] | PairFiles,
    inputs: Path,
    out: Path,
    challenge: Challenge,
    limits: RunLimits,
    *,
    seed: str,
    gpu: str | None = None,
    output_mode: Mode | None = None,
) -> tuple[RunRecord, tuple[Finding, ...]]:
    """Run ``image`` on label-free copies of ``items`` and leave its outputs in ``out``/submission under real ids.

    Full-duplex inputs are run under the latency protocol (latency.py); the record says what was seen.
    ``inputs`` is where the items' audio lies, ``limits`` the official ones (lowered here to what the machine has),
    ``output_mode`` forces a watched store. ``out``/container.log is for organisers. The outputs are still untrusted:
    validate them. The state comes from the engine's word and our own deadline, never from an exit code alone.

    Raises UsageError for an unknown image or unusable inputs and MachineError when our side fails before the
    container runs; a failure of our side later is a record of state ``infrastructure``.
    """
    if (out / SUBMISSION).exists():
        raise UsageError(
            f"{out} already holds results of a run", code="E_USAGE", hint="pass a new folder, or delete the old results"
        )
    effective, lowered = effective_limits(limits, engine.host())
    run = _Run(image_id="", limits=effective, measures=items.rules.latency if isinstance(items, PairFiles) else None)
    if lowered:
        run.findings.append(finding("W_LIMITS", names=", ".join(lowered)))
    nonce = new_nonce()
    try:
        found = resolve_image(engine, image)
    except ArchiveRefused as refused:
        run.findings.append(refused.finding)
        return run.record("image_rejected", "submission")
    run.image_id = found.id
    run.findings += check_image(found, engine.host().architecture)
    if any(each.severity == "error" for each in run.findings):
        return run.record("image_rejected", "submission")
    command = choose_command(found, None if found.entrypoint else run_sh_mode(engine, found, nonce))
    if command is None:
        run.findings.append(finding("E_IMG_COMMAND"))
        return run.record("start_failed", "submission")
    with _work_folder(engine, out, nonce) as work:
        staged = _stage(items, inputs, work / "input", challenge, seed)
        with output_store(work / "output", effective.output_bytes, effective.output_inodes, mode=output_mode) as store:
            profile = _profile(effective, nonce, staged, store, command, gpu, engine.runtime())
            run.host = run_host(engine, profile)
            return _run_and_collect(engine, run, found, profile, staged, store, out, challenge)


def _stage(
    items: Sequence[ReferenceDialogue] | PairFiles, inputs: Path, target: Path, challenge: Challenge, seed: str
) -> Staged | StagedPairs:
    if isinstance(items, PairFiles):
        return stage_pairs(items, inputs, target, challenge, seed)
    return stage_inputs(items, inputs, target, challenge, seed)


@contextmanager
def _work_folder(engine: Engine, out: Path, nonce: str) -> Iterator[Path]:
    """A folder of ours below ``out``, empty at the start and gone at the end. It names the run's container, so that
    the run after a killed one ends what still runs and unmounts what is still mounted."""
    work = out / WORK
    left = work / "nonce"
    if left.is_file():
        remove_leftovers(engine, nonce=left.read_text("ascii"))
    release(work / "output")
    try:
        subprocess.run(["rm", "-rf", "--", work], check=True, capture_output=True)
        work.mkdir(parents=True)
        left.write_text(nonce, "ascii")
        yield work.resolve()
    finally:
        subprocess.run(["rm", "-rf", "--", work], check=False, capture_output=True)


def _profile(
    limits: RunLimits,
    nonce: str,
    staged: Staged | StagedPairs,
    store: OutputStore,
    command: tuple[tuple[str, ...], tuple[str, ...]],
    gpu: str | None,
    runtime: str,
) -> Profile:
    environment = {
        "HUMDIAL_INPUT": INPUT,
        "HUMDIAL_OUTPUT": OUTPUT,
        "HUMDIAL_TASKS": ",".join(staged.tasks),
        "HUMDIAL_LANGUAGES": ",".join(staged.languages),
        "HOME": "/tmp",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    return Profile(
        role="team",
        nonce=nonce,
        limits=limits,
        mounts=(Mount(staged.root, INPUT), Mount(store.path, OUTPUT, read_only=False)),
        environment=tuple(environment.items()),
        seccomp=seccomp_text(),
        entrypoint=command[0],
        command=command[1],
        gpu=gpu,
        user_id=store.user_id,
        runtime=runtime,
    )


def _run_and_collect(
    engine: Engine,
    run: _Run,
    image: Image,
    profile: Profile,
    staged: Staged | StagedPairs,
    store: OutputStore,
    out: Path,
    challenge: Challenge,
) -> tuple[RunRecord, tuple[Finding, ...]]:
    run.profile_sha256 = profile_sha256(profile, image.id)
    run.output_mode = store.mode
    if store.mode == "watched":
        run.findings.append(finding("W_OUT_WATCHED"))
    try:
        run.outcome = _contained(engine, run, image, profile, store, out)
        full = run.outcome.stopped_for or store.over_the_cap()
        collected = collect_outputs(
            store.path, out / SUBMISSION, staged, challenge, run.limits.output_inodes, run.limits.output_bytes
        )
    except MachineError as error:
        run.findings.append(finding("R_INFRASTRUCTURE", why=f"{error} [{error.code}]"))
        return run.record("infrastructure", "infrastructure")
    run.outputs = collected.outputs
    run.findings += collected.findings
    hosts, failed = attempted_hosts(out / LOG)
    if hosts or failed:
        run.wanted_host = host_to_tell(hosts)
        run.findings.append(finding("W_OFFLINE", host=run.wanted_host))
    verdict = blame(run.outcome, run.limits, full=full, has_outputs=bool(run.outputs))
    run.findings += verdict.findings
    return run.record(verdict.state, verdict.fault)


def _contained(
    engine: Engine, run: _Run, image: Image, profile: Profile, store: OutputStore, out: Path
) -> ContainerOutcome:
    """The container itself; where delays are measured, on a machine of its own as far as it can be had."""
    with ExitStack() as stack:
        quiet = None
        if run.measures is not None:
            patience_s = float(run.limits.wall_s)
            quiet = stack.enter_context(quiet_machine(engine, run.measures, gpu=profile.gpu, patience_s=patience_s))
        outcome = run_container(
            engine,
            profile,
            image.id,
            deadline_s=run.limits.wall_s,
            log_path=out / LOG,
            watch=store.over_the_cap if store.mode == "watched" else None,
        )
        if quiet is not None:
            run.latency = quiet.conditions(outcome)
            if run.latency.shared:
                run.findings.append(finding("W_LATENCY_SHARED", why="; ".join(run.latency.why)))
    return outcome
