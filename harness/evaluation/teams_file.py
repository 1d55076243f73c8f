"""teams.toml: who takes part, with what, and what is wrong with the list before any work begins."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge
from harness.errors import UsageError
from harness.resources import schema_path

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing handed in: ``image`` (a name@digest, an id, or the path of a tar) or ``submission`` (a path).

    ``number`` counts a team's attempts from 1 in the order of hand-in; ``submitted_at`` is ISO 8601 in UTC, "" when it
    is not told: then the attempt is on time unless the team is marked late.
    """

    number: int
    image: str | None
    submission: Path | None
    submitted_at: str = ""
    late: bool = False

    def plain(self) -> dict[str, Any]:
        """What is pinned of it: no paths of this machine."""
        source = {"image": Path(self.image).name if self.image and Path(self.image).is_absolute() else self.image}
        if self.submission is not None:
            source = {"submission": self.submission.name}
        return {"number": self.number, **source, "submitted_at": self.submitted_at, "late": self.late}


@dataclass(frozen=True, slots=True)
class Team:
    """One row of the list."""

    name: str
    track: str
    attempts: tuple[Attempt, ...]
    display_name: str = ""
    system: str = ""
    baseline: bool = False

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "track": self.track,
            "display_name": self.display_name,
            "system": self.system,
            "baseline": self.baseline,
            "attempts": [attempt.plain() for attempt in self.attempts],
        }


def read_teams(
    path: Path, challenge: Challenge, track: str | None, *, settled: Collection[str] = (), images: bool = True
) -> tuple[Team, ...]:
    """The teams of one track (of the only one in the file, without ``track``), sorted by name. What those in
    ``settled`` handed in need not be there any more; ``images`` False: nor any image.

    Raises UsageError that lists everything wrong: E_TEAMS, or E_TEAM_DUP when a team stands twice in a track.
    """
    plain = _plain(_load(path))
    problems = _schema_problems(plain)
    rows: list[dict[str, Any]] = plain.get("team", []) if not problems else []
    problems += [
        problem for row in rows for problem in _row_problems(row, path.parent, challenge, settled, images=images)
    ]
    if problems:
        more = f" and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise _wrong(f"{path.name} is wrong in {len(problems)} place(s): " + "; ".join(problems[:10]) + more)
    twice = sorted(name for name, count in Counter((row["name"], row["track"]) for row in rows).items() if count > 1)
    if twice:
        named = ", ".join(f"{name} ({track})" for name, track in twice)
        raise UsageError(
            f"{path.name} lists {named} more than once",
            code="E_TEAM_DUP",
            hint="one [[team]] a team and track; several hand-ins are [[team.attempt]]",
        )
    wanted = _one_track(rows, track)
    chosen = [_team(row, path.parent, challenge) for row in rows if row["track"] == wanted]
    return tuple(sorted(chosen, key=lambda team: team.name))


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(f"{path.name} cannot be read: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        # A time without a zone could be any of 26 hours: it stays recognisable and the schema refuses it.
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value.tzinfo else f"no zone: {value}"
    return value if isinstance(value, str | int | float | bool) else str(value)


def _schema_problems(plain: dict[str, Any]) -> list[str]:
    import jsonschema_rs

    schema = json.loads(schema_path("teams").read_text("utf-8"))
    errors = jsonschema_rs.validator_for(schema).iter_errors(plain)
    return sorted("/" + "/".join(str(part) for part in e.instance_path) + f": {e.message}" for e in errors)


def _row_problems(
    row: dict[str, Any], base: Path, challenge: Challenge, settled: Collection[str], *, images: bool
) -> list[str]:
    name = row["name"]
    problems = []
    if row["track"] not in challenge.tracks:
        problems.append(f"{name}: {challenge.id} has no track {row['track']!r}")
    handed = [row, *row.get("attempt", [])] if name not in settled else []
    folders = [entry["submission"] for entry in handed if "submission" in entry]
    tars = [entry["image"] for entry in handed if "image" in entry] if images else []
    problems += [f"{name}: there is no {path}" for path in folders if not (base / path).exists()]
    problems += [f"{name}: there is no {path}" for path in tars if _is_tar(path) and not (base / path).is_file()]
    # What is pinned of it must not hang on whether the file is there: it may go when the team is scored.
    unclear = [path for path in tars if not _is_tar(path) and (base / path).is_file()]
    problems += [
        f"{name}: {path} is a file and may be an image's name: write ./{path} for the file" for path in unclear
    ]
    times = [entry.get("submitted_at") for entry in row.get("attempt", [])]
    if len(times) > 1 and None in times:
        problems.append(f"{name}: with several attempts each needs its submitted_at")
    return problems


def _one_track(rows: list[dict[str, Any]], track: str | None) -> str:
    present = sorted({row["track"] for row in rows})
    if track is None and len(present) == 1:
        return str(present[0])
    if track is None:
        raise _wrong(f"the teams are of {', '.join(present)}, and a run is of one track", "choose one with --track")
    if track not in present:
        raise _wrong(f"no team is of {track}", f"the file has {', '.join(present)}")
    return track


def _team(row: dict[str, Any], base: Path, challenge: Challenge) -> Team:
    entries = row.get("attempt") or [row]
    entries = sorted(entries, key=lambda entry: entry.get("submitted_at", ""))
    return Team(
        name=row["name"],
        track=row["track"],
        attempts=tuple(_attempt(n, entry, row, base, challenge) for n, entry in enumerate(entries, start=1)),
        display_name=row.get("display_name", ""),
        system=row.get("system", ""),
        baseline=row.get("baseline", False),
    )


def _attempt(number: int, entry: dict[str, Any], row: dict[str, Any], base: Path, challenge: Challenge) -> Attempt:
    image = entry.get("image")
    if image is not None and _is_tar(image):
        image = str((base / image).resolve())
    submission = base / entry["submission"] if "submission" in entry else None
    submitted_at = entry.get("submitted_at", "")
    deadline = datetime.fromisoformat(challenge.deadline).astimezone(UTC)
    after = bool(submitted_at) and datetime.fromisoformat(submitted_at) > deadline
    return Attempt(number, image, submission, submitted_at, late=after or row.get("late", False))


def _is_tar(image: str) -> bool:
    """Whether it is the path of a tar, be that there or not: no name of an image is like that."""
    return image.endswith(_TARS) or image.startswith(("/", "./", "../"))


def _wrong(what: str, hint: str = "`humdial schema show teams` prints the rules") -> UsageError:
    return UsageError(what, code="E_TEAMS", hint=hint)
