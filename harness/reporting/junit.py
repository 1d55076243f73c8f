"""Findings as JUnit XML, which most CI servers can show: a suite a report, a case a file and code."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.documents.finding import Finding, ValidationReport
from harness.reporting.closing import closing_line
from harness.reporting.hostile_text import visible

_LISTED = 50  # findings written out in one case


def junit(reports: Sequence[ValidationReport], color: bool = False) -> str:
    """Errors are failures; warnings and notes are cases that passed. No times: equal reports give equal bytes."""
    root = ET.Element("testsuites", name="humdial validate")
    for report in reports:
        root.append(_suite(report))
    failures = sum(int(suite.get("failures", "0")) for suite in root)
    root.set("tests", str(sum(len(suite.findall("testcase")) for suite in root)))
    root.set("failures", str(failures))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: ValidationReport) -> ET.Element:
    suite = ET.Element("testsuite", name=report.subject)
    cases = [_case(report, *each) for each in _grouped(report.findings)]
    whole = ET.Element("testcase", classname=report.subject, name="everything that was checked")
    if not report.valid:
        failure = ET.SubElement(whole, "failure", message="invalid", type="invalid")
        failure.text = closing_line(report)
    else:
        ET.SubElement(whole, "system-out").text = closing_line(report)
    suite.extend([*cases, whole])
    suite.set("tests", str(len(cases) + 1))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    return suite


def _grouped(findings: Sequence[Finding]) -> Iterator[tuple[str, str, list[Finding]]]:
    ordered = sorted(findings, key=lambda finding: (finding.file or "", finding.code))
    for (file, code), group in groupby(ordered, key=lambda finding: (finding.file or "", finding.code)):
        yield file, code, list(group)


def _case(report: ValidationReport, file: str, code: str, findings: list[Finding]) -> ET.Element:
    file = visible(file)
    case = ET.Element("testcase", classname=report.subject, name=f"{code} {file or 'the whole'}")
    if file:
        case.set("file", file)
    errors = [finding for finding in findings if finding.severity == "error"]
    shown = errors or findings
    lines = [_line(finding) for finding in shown[:_LISTED]]
    if len(shown) > _LISTED:
        lines.append(f"+{len(shown) - _LISTED} more")
    if shown[0].hint:
        lines.append(f"hint: {visible(shown[0].hint)}")
    text = "\n".join(lines)
    if errors:
        ET.SubElement(case, "failure", message=visible(errors[0].message), type=code).text = text
    else:
        ET.SubElement(case, "system-out").text = text
    return case


def _line(finding: Finding) -> str:
    place = "" if finding.line is None else f"line {finding.line}"
    place += f":{finding.column}" if finding.line is not None and finding.column is not None else ""
    place = " ".join(part for part in (place, visible(finding.pointer or "")) if part)
    return f"{finding.severity}: {f'{place}: ' if place else ''}{visible(finding.message)}"
