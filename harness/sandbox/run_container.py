"""The one way to run somebody's container: only after the preflight has seen that this engine holds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.documents.run_record import RunHost
from harness.sandbox.container import ContainerOutcome, Watch, run_unprobed
from harness.sandbox.engine import Engine
from harness.sandbox.floors import below_floors
from harness.sandbox.preflight import require_preflight
from harness.sandbox.profile import Profile


def run_container(
    engine: Engine,
    profile: Profile,
    image_id: str,
    *,
    deadline_s: float,
    log_path: Path | None = None,
    watch: Watch | None = None,
) -> ContainerOutcome:
    """Run ``image_id`` under ``profile`` and remove it, whatever happens, Ctrl-C included.

    ``deadline_s`` counts from the start; then SIGTERM, the profile's grace, SIGKILL. ``watch`` is asked twice a second
    and may end the run by returning a reason. ``log_path`` gets what the program printed, capped; for organisers.
    A profile without a runtime gets the site's.

    Raises MachineError: I_PREFLIGHT when this engine does not hold a container or is older than a site that requires
    the floors allows, I_RUNTIME when it lacks the site's
    runtime, I_ENGINE when it fails or goes away, I_PROFILE when it made something else than asked.
    """
    if not profile.runtime:
        profile = replace(profile, runtime=engine.runtime())
    require_preflight(engine, profile)
    return run_unprobed(engine, profile, image_id, deadline_s=deadline_s, log_path=log_path, watch=watch)


def run_host(engine: Engine, profile: Profile) -> RunHost:
    """What will run the container, for the run's record. Raises as `run_container` before it starts anything."""
    versions = engine.versions()
    return RunHost(
        runtime=profile.runtime or engine.runtime(),
        engine=versions["engine"],
        kernel=str(engine.info().get("KernelVersion", "")),
        below_floors=below_floors(versions),
        preflight=require_preflight(engine, profile).key,
    )
