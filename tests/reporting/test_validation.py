"""A validation report for a person, a grep and a program."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema_rs
import pytest

from harness.documents.codes import finding
from harness.documents.finding import ChallengeRef, Checked, Finding, ValidationReport
from harness.reporting.validation import FORMATS, render, render_all
from harness.resources import schema_path

MISSING = finding("E_LAYOUT_MISSING", file="zh/task2.jsonl", name="zh/task2.jsonl", suggestion="")
SYNTAX = finding("E_JSON_SYNTAX", file="en/task3.jsonl", line=3, column=7, what="Expecting value")
EMPTY = finding(
    "I_EMPTY", file="en/task3.jsonl", line=4, pointer="/turns/2/response_text", turn=3, name="'d1'", language="en"
)


def report(*findings: Finding, truncated: int = 0, subject: str = "alpha") -> ValidationReport:
    valid = not any(each.severity == "error" for each in findings)
    ordered = tuple(sorted(findings, key=Finding.sort_key))
    checked = Checked(files=1207, dialogues=900, audio_seconds=9577.94)
    return ValidationReport(1, subject, valid, ordered, checked, truncated, ChallengeRef("c", "sha256:0"), "0.1.0")


def test_text_groups_by_file_and_closes_with_the_counts() -> None:
    text = render(report(MISSING, SYNTAX, EMPTY), "text").decode()
    assert text.splitlines() == [
        "en/task3.jsonl",
        "  line 3:7  error E_JSON_SYNTAX: the line is not one JSON value: Expecting value",
        f"      {SYNTAX.hint}",
        f"  line 4 /turns/2/response_text  warning I_EMPTY: {EMPTY.message}",
        f"      {EMPTY.hint}",
        "",
        "zh/task2.jsonl",
        "  error E_LAYOUT_MISSING: zh/task2.jsonl is missing",
        "      add it",
        "",
        "alpha: invalid, 2 errors, 1 warning; checked 1,207 files, 900 dialogues, 9577.9 s of audio",
    ]


def test_a_valid_report_is_one_line() -> None:
    assert render(report(), "text").decode() == (
        "alpha: valid, 0 errors, 0 warnings; checked 1,207 files, 900 dialogues, 9577.9 s of audio\n"
    )


def test_concise_is_a_line_a_finding() -> None:
    assert render(report(MISSING, SYNTAX, EMPTY), "concise").decode().splitlines() == [
        f"en/task3.jsonl:3:7: E_JSON_SYNTAX {SYNTAX.message}",
        f"en/task3.jsonl:4: I_EMPTY {EMPTY.message} (/turns/2/response_text)",
        "zh/task2.jsonl: E_LAYOUT_MISSING zh/task2.jsonl is missing",
    ]


def test_text_shows_a_hundred_errors_first_and_counts_the_rest() -> None:
    warnings = [replace(EMPTY, line=number) for number in range(1, 151)]
    errors = [replace(SYNTAX, line=number) for number in range(1, 91)]
    text = render(report(*warnings, *errors, truncated=7), "text").decode()
    assert text.count("error E_JSON_SYNTAX") == 90
    assert text.count("warning I_EMPTY") == 10
    assert "+147 more" in text
    assert "invalid, 90 errors, 150 warnings" in text


def test_json_fits_the_public_schema_and_holds_everything() -> None:
    validator = jsonschema_rs.validator_for(json.loads(schema_path("validation-report").read_text("utf-8")))
    for each in (report(), report(MISSING, SYNTAX, EMPTY)):
        plain = json.loads(render(each, "json"))
        assert list(validator.iter_errors(plain)) == []
        assert [f["code"] for f in plain["findings"]] == [f.code for f in each.findings]
    assert isinstance(json.loads(render_all([report(), report()], "json")), list)
    assert not validator.is_valid({**plain, "valid": "yes"})


@pytest.mark.parametrize("format_", FORMATS)
def test_no_hostile_name_steers_a_terminal(format_: str) -> None:
    data = render(report(SYNTAX, subject="a\x1b[2J\u202e\udcff"), format_)
    assert b"\x1b" not in data
    assert data.decode()  # UTF-8


def test_colour_is_only_there_when_asked_for() -> None:
    for format_ in ("text", "concise"):
        assert b"\x1b[31m" in render(report(SYNTAX), format_, color=True)
        assert b"\x1b" not in render(report(SYNTAX), format_)
    assert b"\x1b" not in render(report(SYNTAX), "json", color=True)
