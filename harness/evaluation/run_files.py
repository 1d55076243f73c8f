"""The files of a run that are no documents: outputs of images as they were collected, and what is made for people."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import MachineError, Refused
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.run_directory import TEAMS, RunDirectory
from harness.evaluation.standings import ATTEMPT_FILES, SCORE_FILES, TeamState, files_of

_READ = frozenset({*ATTEMPT_FILES, *SCORE_FILES})
_OUTPUTS = re.compile(r"outputs(-\d+)?")  # as `Writer.outputs` calls them


def check_outputs(name: str, folder: Path, record: bytes) -> None:
    """Raises Refused (I_CORRUPT) when an image's outputs are not the files that its run record lists."""
    listed = {entry["path"]: entry["sha256"].removeprefix("sha256:") for entry in json.loads(record)["outputs"]}
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if present.keys() != listed.keys() or any(
        path.is_symlink() or file_digest(path).removeprefix("sha256:") != listed[key] for key, path in present.items()
    ):
        raise Refused(
            f"the outputs of {name} are not those that its run record lists",
            code="I_CORRUPT",
            hint="restore the folder from a copy, or begin a new run",
        )


def restore_files(run: RunDirectory, states: dict[str, TeamState]) -> None:
    """Make the files for people what the journal says they are: those of an attempt that does not count go."""
    for state in states.values():
        files, folder = files_of(state), run.team(state.team.name)
        if state.scored is None:  # whatever lies there is none of ours
            remove(folder / "scores")
        kept = {run.path / name for name, _ in files}
        for path in (folder / name for name in ATTEMPT_FILES):
            if path not in kept and path.is_file():
                run.io.unlink(path)
        for name, sha256 in files:
            run.place(run.path / name, run.blobs.get(sha256))


def strays(run: Path, states: Mapping[str, TeamState]) -> Iterator[str]:
    """Files below teams/ that could be taken for a score or for the reason why there is none, and are none that the
    journal knows. Images' outputs are what they are called, and other files are nobody's business."""
    known = {path for state in states.values() for path, _ in files_of(state)}
    known |= {f"{TEAMS}/{name}/{file}" for name, state in states.items() if not state.final for file in ATTEMPT_FILES}
    for parent, folders, names in os.walk(run / TEAMS):
        place = Path(parent).relative_to(run)
        if len(place.parts) == 2:
            folders[:] = [name for name in folders if not _OUTPUTS.fullmatch(name)]
        folders.sort()
        found = ((place / name).as_posix() for name in sorted(names) if name in _READ)
        yield from (name for name in found if name not in known)


def remove(path: Path) -> None:
    """Delete a folder of ours. Raises MachineError (I_DISK)."""
    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise MachineError(
            f"{path.name} could not be deleted: {error.strerror}", code="I_DISK", hint="delete it by hand, run again"
        ) from error
