"""Findings in every format, one golden file each; for GitHub, JUnit, SARIF and a summary what they must never do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from harness.documents.codes import finding
from harness.documents.finding import ChallengeRef, Checked, Finding, ValidationReport
from harness.reporting.validation import FORMATS, render, render_all

GOLDEN = Path(__file__).parent / "golden"
MISSING = finding("E_LAYOUT_MISSING", file="zh/task2.jsonl", name="zh/task2.jsonl", suggestion="")
SYNTAX = finding("E_JSON_SYNTAX", file="en/task3.jsonl", line=3, column=7, what="100 % wrong, 中文: <b>|`x`")
EMPTY = finding(
    "I_EMPTY", file="en/task3.jsonl", line=4, pointer="/turns/2/response_text", turn=3, name="'d1'", language="en"
)
NOTE = Finding("F_CONST_AUDIO", "info", "the same audio", "", file="en/task4/a b,c.wav")


def report(*findings: Finding, truncated: int = 0, subject: str = "teams/alpha") -> ValidationReport:
    valid = not any(each.severity == "error" for each in findings)
    checked = Checked(files=12, dialogues=9, audio_seconds=77.25)
    ordered = tuple(sorted(findings, key=Finding.sort_key))
    return ValidationReport(1, subject, valid, ordered, checked, truncated, ChallengeRef("c", "sha256:0"), "0.1.0")


REPORTS = [report(MISSING, SYNTAX, EMPTY, NOTE), report(EMPTY, subject="beta.zip"), report(subject="gamma")]


LINES = [{("en/task3.jsonl", 3): '{"dialogue_id" "d1"}'}, {}, {}]  # what the text format shows with a caret


@pytest.mark.parametrize("format_", FORMATS)
def test_golden(format_: str) -> None:
    """UPDATE_GOLDEN=1 writes the files anew; look at the difference before it is committed."""
    path = GOLDEN / f"validation.{format_}"
    data = render_all(REPORTS, format_, lines=LINES)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert data.decode() == path.read_text("utf-8")


def test_github_gets_ten_of_each_kind_and_one_notice() -> None:
    errors = [replace(SYNTAX, line=number) for number in range(1, 41)]
    warnings = [replace(EMPTY, line=number) for number in range(1, 13)]
    lines = render(report(*errors, *warnings, truncated=5), "github").decode().splitlines()
    assert [sum(line.startswith(f"::{kind} ") for line in lines) for kind in ("error", "warning", "notice")] == [
        10,
        10,
        1,
    ]
    assert "35 more errors and 2 more warnings in E_JSON_SYNTAX (40), I_EMPTY (12)" in lines[20]
    several = render_all([report(*errors), report(*errors)], "github").decode()
    assert several.count("::error ") == 10


def test_no_message_can_smuggle_a_workflow_command() -> None:
    hostile = Finding("E_JSON_SYNTAX", "error", "x\n::set-output name=a::b\r%0A", "h", file="a\n::stop:,b", line=1)
    for line in render(report(hostile, subject="s\n::error::"), "github").decode().splitlines():
        assert line.startswith(("::error ", "s\\x0a"))
    assert "\n::" not in render(report(hostile), "github").decode().removeprefix("::error")


def test_junit_counts_what_it_holds() -> None:
    root = ET.fromstring(render_all(REPORTS, "junit"))
    assert root.get("tests") == str(len(root.findall(".//testcase"))) == "8"
    assert root.get("failures") == str(len(root.findall(".//failure"))) == "3"
    hostile = Finding("E_JSON_SYNTAX", "error", "]]>\x00\ud800<&", "", file="<x>&\x01")
    assert ET.fromstring(render(report(hostile), "junit")).findall(".//failure")


def test_sarif_follows_the_part_of_its_schema_that_we_use() -> None:
    schema = json.loads((Path(__file__).parent / "sarif-subset.schema.json").read_text("utf-8"))
    many = [replace(SYNTAX, line=number) for number in range(1, 41)]
    for reports in (REPORTS, [report(*many)], []):
        document = json.loads(render_all(reports, "sarif"))
        jsonschema.validate(document, schema)
        (run,) = document["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
        prints = [result["partialFingerprints"]["humdial/v1"] for result in run["results"]]
        assert len(set(prints)) == len(prints)
        assert len(run["results"]) == sum(len(each.findings) for each in reports)


def test_markdown_renders_a_teams_text_as_text() -> None:
    text = render(report(SYNTAX), "markdown").decode()
    assert "<b>" not in text
    assert all(line.count("|") - line.count("\\|") == 6 for line in text.splitlines() if line.startswith("| error"))


def test_the_command_appends_to_the_steps_summary(tmp_path: Path) -> None:
    (tmp_path / "team" / "zh").mkdir(parents=True)
    (tmp_path / "team" / "zh" / "task2.jsonl").write_bytes('{"dialogue_id": "甲", "turns": [}\n'.encode())
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    command = [sys.executable, "-m", "harness", "validate", "team", "--draft"]
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(summary), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([*command, "-f", "github"], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 1, done.stderr
    assert "::error file=team/zh/task2.jsonl,line=1,col=" in done.stdout
    assert summary.read_text("utf-8").startswith("before\n### ❌ invalid: team\n")
    text = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment).stdout
    shown, mark = next(
        (above, below) for above, below in zip(text.splitlines(), text.splitlines()[1:], strict=False) if "^" in below
    )
    assert shown == '      1 | {"dialogue_id": "甲", "turns": [}'
    assert mark.index("^") == shown.index("}") + 1  # one character is two columns wide
    assert summary.read_text("utf-8").count("###") == 1
