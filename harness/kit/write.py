"""Writes a participant's starter kit. The files stand in template/; what differs between challenges is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__
from harness.challenge.spec import Challenge, Layout, Task, Track
from harness.documents.codec import pretty_json, write_atomic
from harness.errors import MachineError, UsageError

_TEMPLATE = Path(__file__).parent / "template"
# In the package these have names without a leading dot, which packaging tools like to leave out.
_RENAMED = {"gitignore": ".gitignore", "dockerignore": ".dockerignore", "github": ".github"}
_RENAMED |= {"pre-commit-config.yaml": ".pre-commit-config.yaml"}
_EXECUTABLE = frozenset({"run.sh"})
_TEAM = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Kit:
    """What was written: paths relative to the kit's folder, in order."""

    folder: Path
    files: tuple[str, ...]


def write_kit(folder: Path, challenge: Challenge, *, team: str, track: str | None = None) -> Kit:
    """Write the kit for ``team`` to the new or empty ``folder``.

    Raises UsageError (E_USAGE) for a folder that holds files, a bad team id, or a track without a submission layout;
    MachineError (I_DISK) when it cannot be written.
    """
    if not _TEAM.fullmatch(team):
        hint = "use 3 to 32 of a-z, 0-9 and -, for instance --team alpha"
        raise UsageError(f"{team!r} is no team id", code="E_USAGE", hint=hint)
    chosen, layout, tasks = _asked(challenge, track)
    values = _values(challenge, chosen, layout, tasks, team)
    written = {"participant/challenge.json": pretty_json(_facts(challenge, layout, tasks))}
    written["submission/submission.json"] = pretty_json(_manifest(challenge, chosen, team))
    for path in sorted(path for path in _TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        name = "/".join(_RENAMED.get(part, part) for part in path.relative_to(_TEMPLATE).parts)
        written[name] = _filled(path.read_text("utf-8"), values).encode()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not an empty folder", code="E_USAGE", hint="name a new folder")
        for name, data in sorted(written.items()):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, data)
            target.chmod(0o755 if name in _EXECUTABLE else 0o644)
        for language in challenge.languages:
            (folder / "submission" / language).mkdir()
    except OSError as error:
        raise MachineError(
            f"{folder} cannot be written: {error.strerror}", code="I_DISK", hint="name a folder where you may write"
        ) from error
    return Kit(folder, tuple(sorted(written)))


def _asked(challenge: Challenge, track: str | None) -> tuple[Track, Layout, tuple[Task, ...]]:
    """The track, the layout that its images write, and its ranked tasks in that layout."""
    if track is not None and track not in challenge.tracks:
        known = ", ".join(challenge.tracks)
        raise UsageError(f"there is no track {track!r}", code="E_USAGE", hint=f"the tracks are {known}")
    for name in [track] if track is not None else challenge.tracks:
        for layout in challenge.layouts.values():
            tasks = tuple(task for task in challenge.tasks_of(name, ranked_only=True) if task.id in layout.names)
            if tasks:
                return challenge.tracks[name], layout, tasks
    raise UsageError(
        f"no kit can be written for {track or 'this challenge'}: no ranked task of it has a layout of files",
        code="E_USAGE",
        hint="choose another --track",
    )


def _facts(challenge: Challenge, layout: Layout, tasks: tuple[Task, ...]) -> dict[str, Any]:
    """What the participant must know of the challenge; it reads this file and imports nothing of ours."""
    return {
        "challenge": challenge.id,
        "languages": list(challenge.languages),
        "tasks": {
            layout.names[task.id]: {"title": task.title, "audio": task.audio_required != "none"} for task in tasks
        },
        "audio_name": layout.audio.removeprefix("{language}/"),
        "rate_hz": challenge.audio.advised_rate_hz,
        "min_audio_s": challenge.audio.min_duration_s,
        "max_audio_s": challenge.audio.max_duration_s,
        "max_chars": challenge.text.max_chars,
    }


def _manifest(challenge: Challenge, track: Track, team: str) -> dict[str, Any]:
    # No resources and no declarations: those are promises, and only the team can make them.
    return {
        "schema_version": 1,
        "team": team,
        "display_name": team,
        "system": f"{team}-1",
        "tracks": [track.id],
        "languages": list(challenge.languages),
    }


def _values(
    challenge: Challenge, track: Track, layout: Layout, tasks: tuple[Task, ...], team: str
) -> Mapping[str, str]:
    rows = []
    for task in tasks:
        wants = "text and a WAV for every turn" if task.audio_required != "none" else "text"
        rows.append(f"| `{layout.names[task.id]}` | {task.title} | {wants} |")
    limits = challenge.run_limits
    return {
        "TEAM": team,
        "CHALLENGE": challenge.title,
        "TRACK": f"{track.title} ({track.id})",
        "TASKS": "\n".join(rows),
        "LANGUAGES": ", ".join(f"`{language}`" for language in challenge.languages),
        "PDF": layout.pdf,
        "PAGES": str(challenge.min_pages),
        "DEADLINE": challenge.deadline,
        "ATTEMPTS": str(challenge.max_attempts),
        "HOURS": f"{limits.wall_s / 3600:g}",
        "MEMORY": f"{limits.memory_bytes / 2**30:g}",
        "CPUS": f"{limits.cpus:g}",
        "OUTPUT": f"{limits.output_bytes / 2**30:g}",
        "VERSION": __version__,
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
