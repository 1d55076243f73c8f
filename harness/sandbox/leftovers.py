"""What killed runs left on this machine: containers with our label, and mounted stores of outputs."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MachineError
from harness.sandbox.container import remove_container, remove_leftovers
from harness.sandbox.engine import Engine, translated
from harness.sandbox.output_store import STORE_SOURCE, release
from harness.sandbox.owner import OWNER_LABEL, Owner, owner_of
from harness.sandbox.preflight import left_probes
from harness.sandbox.profile import NONCE_LABEL, ROLE_LABEL

_NAME = "humdial-"


@dataclass(frozen=True, slots=True)
class LeftContainer:
    """A container that we made (by name and label; an image's own labels give it no such name)."""

    id: str
    name: str
    owner: Owner


def left_containers(engine: Engine) -> list[LeftContainer]:
    """Every container of ours, those of runs that are under way among them. Raises MachineError (I_ENGINE)."""
    with translated("list containers"):
        listed = engine.api.containers(all=True, filters={"label": NONCE_LABEL})
        found = []
        for entry in listed:
            labels = entry.get("Labels") or {}
            name = str((entry.get("Names") or ["/"])[0]).lstrip("/")
            if name == f"{_NAME}{labels.get(ROLE_LABEL)}-{labels.get(NONCE_LABEL)}":
                found.append(LeftContainer(str(entry["Id"]), name, owner_of(str(labels.get(OWNER_LABEL) or ""))))
    return sorted(found, key=lambda each: each.name)


def left_stores(engine: Engine) -> list[Path]:
    """Mounted stores whose run is over: no container has them, and nobody holds the folder that they belong to.

    Raises MachineError (I_ENGINE)."""
    with translated("list containers"):
        used = {str(mount.get("Source")) for entry in engine.api.containers() for mount in entry.get("Mounts") or []}
    found = []
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return []
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        if rest.split()[1:2] == [STORE_SOURCE]:
            place = Path(_unescaped(fields.split()[4]))
            if str(place) not in used and not _held(place):
                found.append(place)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed, names of containers and paths; ``unseen``: containers whose process cannot be seen
    from here, which stay."""

    removed: tuple[str, ...]
    unseen: tuple[str, ...]


def clean(engine: Engine, *, everything: bool = False) -> Cleaned:
    """Remove what is left: containers, running or not, whose process is gone (``everything``: all of ours), stores
    that nobody uses, and folders of preflights. What a run under way has stays: it may be about to start a container,
    or to read how it ended.

    Raises MachineError (I_ENGINE, I_DISK).
    """
    removed, unseen = [], []
    for each in left_containers(engine):
        if everything or each.owner is Owner.GONE:
            remove_container(engine, each.id)
            removed.append(each.name)
        elif each.owner is Owner.UNSEEN:
            unseen.append(each.name)
    for place in (*left_stores(engine), *left_probes(unseen=everything)):
        try:
            release(place)
        except OSError as error:
            raise MachineError(
                f"{place} could not be removed: {error.strerror}", code="I_DISK", hint="run it as root"
            ) from error
        removed.append(str(place))
    return Cleaned(tuple(removed), tuple(unseen))


def clean_run(engine: Engine, run: str, folder: Path) -> None:
    """Remove the containers of the evaluation ``run`` and then the stores below its ``folder`` that nobody uses.

    Raises MachineError (I_ENGINE, I_DISK).
    """
    remove_leftovers(engine, run=run)
    for place in left_stores(engine):
        if place.is_relative_to(folder):
            release(place)


def _held(place: Path) -> bool:
    """Whether a run is under way in the folder that the store at ``place`` (OUT/.work/output) belongs to, or one that
    has just begun below a folder of its own."""
    for folder in place.parents[:3]:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _unescaped(path: str) -> str:
    """A path of mountinfo, where blanks and the like stand as \\040."""
    return path.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
