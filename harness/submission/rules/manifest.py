"""submission.json: who hands in what, with which resources, under which declarations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.documents.finding import Severity
from harness.documents.submission import Resource
from harness.submission.ledger import Ledger
from harness.submission.readers.refusal import Refusal, quoted
from harness.submission.readers.schema import property_names, schema_errors
from harness.submission.readers.strict_json import parse_json
from harness.submission.readers.tree import Tree
from harness.submission.rules.layout import MANIFEST
from harness.submission.settings import CheckSettings

_TEAM = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
_SCHEMA = "submission"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What submission.json says, as far as it can be believed; empty where it is silent or wrong."""

    team: str | None = None
    display_name: str | None = None
    system: str = ""
    tracks: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    declarations: tuple[tuple[str, bool], ...] = ()


def is_team_id(name: str) -> bool:
    return _TEAM.fullmatch(name) is not None


def read_manifest(tree: Tree, settings: CheckSettings, ledger: Ledger) -> Manifest:
    """Read and check submission.json, which is there."""
    limits = settings.challenge.read_limits
    try:
        if tree.files[MANIFEST].bytes > limits.line_bytes:
            raise Refusal("E_JSON_LINE", limit=limits.line_bytes)
        raw = tree.read(MANIFEST)
        value = parse_json(raw, limits.depth)
    except Refusal as refusal:
        line = 1
        if refusal.column is not None:
            before = raw.decode("utf-8", "replace")[: refusal.column - 1]
            line = before.count("\n") + 1
            refusal.column -= before.rfind("\n") + 1
        ledger.refuse(refusal, file=MANIFEST, line=line)
        return Manifest()
    wrong = _report_schema(value, ledger)
    if not isinstance(value, dict):
        return Manifest()
    good = {key: inner for key, inner in value.items() if key not in wrong}
    _report_meaning(good, settings, ledger)
    _report_promises(value, settings, ledger)
    return Manifest(
        team=good.get("team"),
        display_name=good.get("display_name"),
        system=good.get("system", ""),
        tracks=tuple(good.get("tracks", ())),
        resources=tuple(_resource(resource) for resource in good.get("resources", ())),
        declarations=tuple(sorted(good.get("declarations", {}).items())),
    )


def _resource(raw: dict[str, Any]) -> Resource:
    return Resource(**{key: raw[key] for key in ("kind", "name", "version", "url", "licence") if key in raw})


def _report_schema(value: Any, ledger: Ledger) -> set[str]:
    """Report every schema error; returns the top-level keys that cannot be believed."""
    wrong: set[str] = set()
    for error in schema_errors(_SCHEMA, value):
        wrong |= {str(part) for part in error.path[:1]}
        if error.path == ("team",) and error.refusal.code == "E_SCHEMA_VALUE":
            what = "it is not made of a-z, 0-9 and - in the right number"
            ledger.add("E_TEAM_NAME", file=MANIFEST, pointer="/team", name=quoted(value["team"]), what=what)
        else:
            ledger.refuse(error.refusal, file=MANIFEST, pointer=error.pointer)
    known, _ = property_names(_SCHEMA)
    unknown = sorted(set(value) - known) if isinstance(value, dict) else []
    if unknown:
        ledger.add("W_SCHEMA_EXTRA", file=MANIFEST, count=1, name=quoted(unknown[0]))
    return wrong


def _report_meaning(good: dict[str, Any], settings: CheckSettings, ledger: Ledger) -> None:
    challenge = settings.challenge
    for index, track in enumerate(good.get("tracks", ())):
        if track not in challenge.tracks:
            what = f"the challenge has no track {quoted(track)}"
            ledger.add("E_MANIFEST_TRACK", file=MANIFEST, pointer=f"/tracks/{index}", what=what)
    if settings.track and good.get("tracks") and settings.track not in good["tracks"]:
        what = f"submission.json does not list {settings.track}"
        ledger.add("E_MANIFEST_TRACK", file=MANIFEST, pointer="/tracks", what=what)
    for index, language in enumerate(good.get("languages", ())):
        if language not in challenge.languages:
            ledger.add("E_MANIFEST_LANGUAGE", file=MANIFEST, pointer=f"/languages/{index}", name=quoted(language))


def _report_promises(value: dict[str, Any], settings: CheckSettings, ledger: Ledger) -> None:
    """Resources and declarations: free to be absent in a draft, a warning where the policy has no floors."""
    severity: Severity = "error" if settings.challenge.policies[settings.policy].floors else "warning"
    if not settings.draft:
        if "resources" not in value:
            ledger.add("E_MANIFEST_RESOURCES", file=MANIFEST, severity=severity)
        if not value.get("declarations"):
            ledger.add("E_MANIFEST_DECLARATIONS", file=MANIFEST, severity=severity)
    declared = value.get("declarations")
    for name, kept in sorted(declared.items()) if isinstance(declared, dict) else ():
        if kept is False:
            ledger.add("W_DECLARED_NO", file=MANIFEST, pointer=f"/declarations/{name}", name=quoted(name))
