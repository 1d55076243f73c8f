"""TOML to Challenge: schema first, then what a schema cannot say."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.challenge.duplex import build_duplex, duplex_problems
from harness.challenge.reading import AudioRules, ReadLimits
from harness.challenge.spec import (
    Challenge,
    Dimension,
    Exclusion,
    JudgeProfile,
    Layout,
    Policy,
    ReviewRules,
    RunLimits,
    Task,
    TextRules,
    Track,
    Uncertainty,
)
from harness.documents.codec import digest, pretty_json
from harness.errors import UsageError
from harness.resources import schema_path

BUILT_IN = "humdial-2026"
_SPECS = Path(__file__).resolve().parent / "specs"


def load_challenge(name_or_path: str = BUILT_IN) -> Challenge:
    """The built-in spec by its id, or a TOML file by its path.

    Raises UsageError (E_CONFIG) that lists everything wrong with the spec.
    """
    return _load(_path(name_or_path))


def _path(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if "/" not in name_or_path and not name_or_path.endswith(".toml"):
        path = _SPECS / f"{name_or_path}.toml"
    return path.resolve()


@lru_cache(maxsize=8)
def _load(path: Path) -> Challenge:
    return challenge_of(_document(path), f"the challenge spec {path.name}")


def spec_document(name_or_path: str) -> bytes:
    """The spec that `load_challenge` loads, as JSON in its own order, which decides the order of columns."""
    return pretty_json(_document(_path(name_or_path)))


def challenge_of(plain: dict[str, Any], what: str = "the challenge spec") -> Challenge:
    """A spec that was read. Raises UsageError (E_CONFIG) that lists everything wrong with it."""
    problems = _schema_problems(plain) or _meaning_problems(plain)
    if problems:
        raise UsageError(
            f"{what} is wrong in {len(problems)} place(s): " + "; ".join(problems),
            code="E_CONFIG",
            hint="correct the spec; `humdial schema show challenge` prints the rules",
        )
    return _build(plain)


@lru_cache(maxsize=8)
def _document(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in _SPECS.glob("*.toml")))
        raise UsageError(
            f"there is no challenge spec {path.name}",
            code="E_CONFIG",
            hint=f"pass the path of a TOML file, or one of: {known}",
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the challenge spec {path.name} cannot be read: {error}", code="E_CONFIG", hint="correct the TOML"
        ) from error
    plain: dict[str, Any] = _plain(raw)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _schema_problems(plain: dict[str, Any]) -> list[str]:
    import jsonschema_rs

    schema = json.loads(schema_path("challenge").read_text("utf-8"))
    errors = jsonschema_rs.validator_for(schema).iter_errors(plain)
    return sorted("/" + "/".join(str(part) for part in e.instance_path) + f": {e.message}" for e in errors)


def _meaning_problems(plain: dict[str, Any]) -> list[str]:
    """What the schema cannot say: names that must exist, weights that must add up."""
    tasks, tracks = plain["tasks"], plain["tracks"]
    problems = _task_problems(tasks, tracks)
    known = set(tasks) | {f"{name}.{d['id']}" for name, task in tasks.items() for d in task["dimensions"]}
    for name, track in tracks.items():
        problems += _weight_problems(name, track, known, set(plain["languages"]))
    for name, layout in plain["layouts"].items():
        problems += [
            f"/layouts/{name}/names: there is no task {task!r}" for task in layout["names"] if task not in tasks
        ]
    for index, exclusion in enumerate(plain.get("exclusions", [])):
        if exclusion["layout"] not in plain["layouts"] or exclusion["task"] not in tasks:
            problems.append(f"/exclusions/{index}: unknown layout or task")
    for key in ("level", "close_p"):
        if "uncertainty" in plain and not 0 < Fraction(plain["uncertainty"][key]) < 1:
            problems.append(f"/uncertainty/{key}: it must lie between 0 and 1")
    if "duplex" in plain:
        problems += duplex_problems(plain["duplex"], tracks)
    if plain["neutral_emotion"] not in plain["emotions"]:
        problems.append("/neutral_emotion: it is not among the emotions")
    return problems


def _task_problems(tasks: dict[str, Any], tracks: dict[str, Any]) -> list[str]:
    problems = []
    for name, task in tasks.items():
        if task["track"] not in tracks:
            problems.append(f"/tasks/{name}/track: there is no track {task['track']!r}")
        if task["scale"] != sorted(set(task["scale"])):
            problems.append(f"/tasks/{name}/scale: marks must rise")
        if task["ranked"] and not (task["scale"] and task["dimensions"]):
            problems.append(f"/tasks/{name}: a ranked task needs a scale and dimensions")
    return problems


def _weight_problems(name: str, track: dict[str, Any], known: set[str], languages: set[str]) -> list[str]:
    problems = []
    final = track.get("final", {"terms": {}, "languages": {}})
    problems += [f"/tracks/{name}/final/terms: there is no {term!r}" for term in final["terms"] if term not in known]
    if set(final["languages"]) - languages:
        problems.append(f"/tracks/{name}/final/languages: a language that the challenge does not have")
    for key in ("terms", "languages"):
        weights = [Fraction(value) for value in final[key].values()]
        if weights and (sum(weights) != 1 or min(weights) <= 0):
            problems.append(f"/tracks/{name}/final/{key}: weights must be positive and add up to 1")
    for phase, sources in track.get("phases", {}).items():
        missing = [human for human in sources["human"] if human not in known]
        problems += [f"/tracks/{name}/phases/{phase}/human: there is no {human!r}" for human in missing]
    return problems


def _build(plain: dict[str, Any]) -> Challenge:
    limits = plain["limits"]
    return Challenge(
        id=plain["id"],
        title=plain["title"],
        digest=digest(plain),
        languages=tuple(plain["languages"]),
        emotions=tuple(plain["emotions"]),
        neutral_emotion=plain["neutral_emotion"],
        deadline=plain["deadline"],
        max_attempts=plain["max_attempts"],
        max_faulty_attempts=plain.get("max_faulty_attempts", plain["max_attempts"]),
        min_pages=plain["document"]["min_pages"],
        tracks={name: _track(name, track) for name, track in plain["tracks"].items()},
        tasks={name: _task(name, task) for name, task in plain["tasks"].items()},
        layouts={name: Layout(id=name, **layout) for name, layout in plain["layouts"].items()},
        exclusions=tuple(
            Exclusion(e["layout"], e["task"], tuple(e["ids"]), tuple(e["prefixes"]))
            for e in plain.get("exclusions", [])
        ),
        text=TextRules(**{**plain["text"], "han_share": Fraction(plain["text"]["han_share"])}),
        audio=AudioRules(**plain["audio"]),
        policies={name: Policy(id=name, **policy) for name, policy in plain["policies"].items()},
        read_limits=ReadLimits(**limits["read"]),
        run_limits=RunLimits(**limits["run"]),
        judge_attempts=limits["judge"]["attempts"],
        judges={name: _judge(name, judge) for name, judge in plain.get("judges", {}).items()},
        uncertainty=_uncertainty(plain.get("uncertainty")),
        duplex=build_duplex(plain["duplex"]) if "duplex" in plain else None,
        review=ReviewRules(**plain.get("review", {})),
    )


def _uncertainty(plain: dict[str, Any] | None) -> Uncertainty | None:
    if plain is None:
        return None
    return Uncertainty(plain["draws"], Fraction(plain["level"]), Fraction(plain["close_p"]))


def _task(name: str, task: dict[str, Any]) -> Task:
    return Task(
        id=name,
        **{
            **task,
            "scale": tuple(task["scale"]),
            "dimensions": tuple(
                Dimension(d["id"], d["modality"], tuple(d.get("values", ()))) for d in task["dimensions"]
            ),
        },
    )


def _track(name: str, track: dict[str, Any]) -> Track:
    final = track.get("final", {"terms": {}, "languages": {}})
    return Track(
        id=name,
        title=track["title"],
        kind=track["kind"],
        archive=track["archive"],
        decimals=track["decimals"],
        terms={term: Fraction(weight) for term, weight in final["terms"].items()},
        language_weights={language: Fraction(weight) for language, weight in final["languages"].items()},
        human={phase: tuple(sources["human"]) for phase, sources in track.get("phases", {}).items()},
    )


def _judge(name: str, judge: dict[str, Any]) -> JudgeProfile:
    canaries = judge.get("canaries", {"bands": {}, "tolerated": 0, "always": True})
    provisional = canaries.get("provisional", False)
    return JudgeProfile(
        id=name,
        official=judge["official"] and not provisional,
        engine=judge["engine"],
        model=judge["model"],
        not_judged=tuple(judge["not_judged"]),
        settings=judge.get("settings", {}),
        canaries={kind: (Fraction(low), Fraction(high)) for kind, (low, high) in canaries["bands"].items()},
        canaries_tolerated=canaries["tolerated"],
        canaries_always=canaries["always"],
        canaries_provisional=provisional,
    )


def override_limits(official: RunLimits, path: Path | None) -> RunLimits:
    """The official limits with some replaced from a TOML table of the same keys (`humdial run --limits`).

    Raises UsageError (E_CONFIG) for an unknown key or a value that is not a positive number.
    """
    if path is None:
        return official
    try:
        changes = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}", code="E_CONFIG", hint="correct the TOML") from error
    known = {field.name: field.type for field in fields(RunLimits)}
    wrong = [
        key
        for key, value in changes.items()
        if key not in known or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0
    ] + [key for key, value in changes.items() if key in known and key != "cpus" and not isinstance(value, int)]
    if wrong:
        raise UsageError(
            f"{path}: these limits are unknown or not positive numbers: {', '.join(sorted(set(wrong)))}",
            code="E_CONFIG",
            hint=f"the keys are {', '.join(known)}",
        )
    return replace(official, **changes)
