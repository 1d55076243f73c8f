"""Findings as SARIF 2.1.0, the exchange format of code scanners: one run, a rule a code, a result a finding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from harness.documents.codec import digest
from harness.documents.codes import Code, all_codes
from harness.documents.finding import Finding, ValidationReport
from harness.reporting.forge import place_of
from harness.reporting.hostile_text import for_json, visible

_LEVEL = {"error": "error", "warning": "warning", "info": "note"}


def sarif(reports: Sequence[ValidationReport], color: bool = False) -> str:
    """Every kept finding of every report. Artifact places are relative to where the command was called."""
    used = sorted({finding.code for report in reports for finding in report.findings})
    index = {code: place for place, code in enumerate(used)}
    results = [_result(report, finding, index) for report in reports for finding in report.findings]
    driver = {
        "name": "humdial",
        "semanticVersion": reports[0].harness_version if reports else "0",
        "rules": [_rule(all_codes()[code]) for code in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"subjects": [_subject(report) for report in reports]},
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return for_json(json.dumps(document, ensure_ascii=False, indent=1)) + "\n"


_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def _subject(report: ValidationReport) -> dict[str, Any]:
    return {"name": report.subject, "valid": report.valid, "truncated": report.truncated}


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.code,
        "shortDescription": {"text": code.title},
        "help": {"text": f"Bad: {code.bad}\nGood: {code.good}"},
        "defaultConfiguration": {"level": _LEVEL[code.severity]},
    }


def _result(report: ValidationReport, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    file, inside = place_of(report, finding)
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(file, safe="/~")}}
    if finding.line is not None and not inside:
        physical["region"] = {"startLine": finding.line}
        if finding.column is not None:
            physical["region"]["startColumn"] = finding.column
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.pointer or inside:
        name = " ".join(part for part in (inside, finding.pointer) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": visible(name)}]
    text = visible(finding.message) + (f"\n{visible(finding.hint)}" if finding.hint else "")
    identity = [finding.code, file, inside, finding.line, finding.pointer, finding.message]
    return {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVEL[finding.severity],
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"humdial/v1": digest(identity).removeprefix("sha256:")[:32]},
    }
