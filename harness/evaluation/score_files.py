"""Where stored scores lie: report files, `score --out` folders, run directories; and the teams that have none."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.documents.items import Scores, read_items, read_scores
from harness.documents.leaderboard import Unscored
from harness.documents.report import ScoreReport, read_report
from harness.errors import UsageError

REPORT = "report.json"
REVIEW = "review.jsonl"
RUN_RECORD = "run.json"
VALIDATION = "validation.json"
TEAMS = "teams"
# A team's own files: nothing in there is a result, whatever it is called.
_FROM_TEAMS = frozenset({"submission", "outputs"})
_DEPTH = 3
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A report and the file it was read from."""

    report: ScoreReport
    path: Path


def gather(paths: Sequence[Path]) -> tuple[list[ScoreReport], list[Unscored]]:
    """Every report under ``paths``, and the teams for which only a failed run or validation is stored."""
    found, unscored = find_reports(paths)
    return [entry.report for entry in found], unscored


def find_reports(paths: Sequence[Path]) -> tuple[list[Found], list[Unscored]]:
    """Every report under ``paths`` with its place, and the teams for which only a failed run or validation is stored.

    A path is a report file, a run record or validation report file, or a folder: one team's, one with a folder a
    team, or a run directory. Raises UsageError (E_USAGE, E_DOCUMENT) and MachineError (E_SCORE).
    """
    reports: list[Found] = []
    unscored: list[Unscored] = []
    for path in paths:
        found = list(_in_folder(path.resolve()) if path.is_dir() else _in_file(path.resolve()))
        if not found:
            raise UsageError(
                f"{path} holds no score report, run record or validation report",
                code="E_USAGE",
                hint="pass what `humdial score --out` wrote",
            )
        reports += [entry for entry in found if isinstance(entry, Found)]
        unscored += [entry for entry in found if isinstance(entry, Unscored)]
    return reports, unscored


def reports_of(teams: Path, names: Sequence[str]) -> tuple[list[Found], list[Unscored]]:
    """As `find_reports` of exactly these teams of a run, each from the files that a run has for it and no others."""
    reports: list[Found] = []
    unscored: list[Unscored] = []
    for name in names:
        report = teams / name / "scores" / REPORT
        if report.is_file():
            reports.append(Found(read_report(report), report))
        else:
            records = [teams / name / record for record in (RUN_RECORD, VALIDATION)]
            unscored.append(_unscored(name, [path for path in records if path.is_file()]))
    return reports, unscored


def item_rows(found: Found) -> list[dict[str, Any]] | None:
    """The items that lie beside a report; None when it names none or they are not there (a report that was copied
    alone). Raises UsageError (E_DOCUMENT), MachineError (E_SCORE)."""
    path = _items_path(found)
    return None if path is None else read_items(path)


def _items_path(found: Found) -> Path | None:
    name = found.report.items
    if name is None or Path(name).name != name or not (found.path.parent / name).is_file():
        return None
    return found.path.parent / name


def review_rows(found: Found) -> dict[tuple[str, str, str], tuple[str, dict[str, str]]]:
    """(task, language, dialogue) to the beginning of the reply and what the judge said, from the review.jsonl beside
    a report; empty where there is none. Raises UsageError (E_DOCUMENT)."""
    path = found.path.parent / REVIEW
    if path.is_symlink() or not path.is_file():
        return {}
    rows: dict[tuple[str, str, str], tuple[str, dict[str, str]]] = {}
    try:
        for line in filter(None, path.read_text("utf-8").split("\n")):
            row = json.loads(line)
            reasons = {str(name): str(said) for name, said in row.get("reasons", {}).items()}
            rows[row["task"], row["language"], row["dialogue_id"]] = (str(row["reply"]), reasons)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a list for review: {error}", code="E_DOCUMENT", hint="pass what `humdial score` wrote"
        ) from error
    return rows


def item_scores(found: Sequence[Found], track: str) -> dict[str, Scores]:
    """Team to the scores of its items, for the reports of one track whose items lie beside them."""
    scores: dict[str, Scores] = {}
    for entry in found:
        path = _items_path(entry) if entry.report.track == track else None
        if path is not None:
            scores[entry.report.team] = read_scores(path, entry.report.team)
    return scores


def _in_folder(folder: Path) -> Iterator[Found | Unscored]:
    if (folder / REPORT).is_file():
        yield Found(read_report(folder / REPORT), folder / REPORT)
        return
    teams = folder / TEAMS if (folder / TEAMS).is_dir() else folder
    if teams is folder and any((folder / name).is_file() for name in (RUN_RECORD, VALIDATION)):
        yield from _of_team(folder)
        return
    # In a run directory a team may have any name; elsewhere a folder of that name may be what a team handed in.
    for child in _children(teams, but=_FROM_TEAMS if teams is folder else frozenset()):
        yield from _of_team(child)


def _of_team(folder: Path) -> Iterator[Found | Unscored]:
    """A team's reports; without any, why it has none."""
    reports = list(_named(folder, REPORT, _DEPTH))
    yield from (Found(read_report(path), path) for path in reports)
    if not reports:
        records = [*_named(folder, RUN_RECORD, _DEPTH), *_named(folder, VALIDATION, _DEPTH)]
        if records:
            yield _unscored(folder.name, records)


def _unscored(name: str, records: Sequence[Path]) -> Unscored:
    """Why a team has no score, by what is stored of its runs and checks."""
    reason = next((reason for path in records if (reason := _reason(_read(path)))), "not scored yet")
    return Unscored(team=_team_id(name), display_name=name, reason=reason)


def _named(folder: Path, name: str, depth: int) -> Iterator[Path]:
    if (folder / name).is_file():
        yield folder / name
    if depth:
        for child in _children(folder):
            yield from _named(child, name, depth - 1)


def _children(folder: Path, *, but: Collection[str] = _FROM_TEAMS) -> list[Path]:
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir()
        and not child.is_symlink()
        and child.name.partition("-")[0] not in but  # outputs-2 are those of a second attempt
        and not child.name.startswith(".")
    )


def _in_file(path: Path) -> Iterator[Found | Unscored]:
    plain = _read(path)
    reason = _reason(plain)
    if reason is None:
        yield Found(read_report(path), path)
        return
    subject = plain.get("subject")
    in_place = path.name in (RUN_RECORD, VALIDATION) or not isinstance(subject, str)
    name = path.parent.name if in_place else re.split(r"[/\\]", str(subject).rstrip("/\\"))[-1].split(".")[0]
    yield Unscored(team=_team_id(name), display_name=name, reason=reason or "not scored yet")


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}", code="E_DOCUMENT", hint="check the file") from error
    return plain if isinstance(plain, dict) else {}


def _reason(plain: dict[str, Any]) -> str | None:
    """Why a run or validation gave nothing to score: "" when it did give something, None for another document."""
    if {"image_id", "state", "fault"} <= plain.keys():
        if plain["state"] == "completed":
            return ""
        named = ", ".join(str(code) for code in list(plain.get("codes") or [])[:_NAMED])
        ours = "; not the team's fault, run again" if plain["fault"] == "infrastructure" else ""
        return f"run {plain['state']}" + (f" ({named})" if named else "") + ours
    if {"valid", "findings"} <= plain.keys():
        if plain["valid"]:
            return ""
        errors = [finding for finding in plain["findings"] if finding.get("severity") == "error"]
        codes = list(dict.fromkeys(str(finding.get("code")) for finding in errors))
        more = ", …" if len(codes) > _NAMED else ""
        return f"invalid submission: {len(errors)} error(s) ({', '.join(codes[:_NAMED])}{more})"
    return None


def _team_id(name: str) -> str:
    """A safe id from a folder's name; the name itself stays as display_name."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")
    return slug if len(slug) >= 3 else f"team-{slug or 'unnamed'}"
