"""Three real images through `humdial run`: what became of each, as an organiser and as its team would see it."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.validators import Draft202012Validator

from harness.resources import schema_path

pytestmark = pytest.mark.engine


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("team", ["careful", "lazy", "hostile"])
def test_the_record_and_the_validation_follow_their_schemas(runs: Path, team: str) -> None:
    for name, document in (("run.json", "run-record"), ("validation.json", "validation-report")):
        schema = _json(schema_path(document))
        jsonschema.validate(_json(runs / team / name), schema, cls=Draft202012Validator)


@pytest.mark.parametrize("team", ["careful", "lazy", "hostile"])
def test_each_completes_and_uses_the_real_ids(runs: Path, dev: Path, team: str) -> None:
    record = _json(runs / team / "run.json")
    assert (record["state"], record["fault"], record["exit_code"]) == ("completed", "none", 0)
    for path in sorted(dev.glob("*/*.jsonl")):
        expected = {json.loads(line)["dialogue_id"] for line in path.read_text("utf-8").splitlines()}
        collected = runs / team / "submission" / path.relative_to(dev)
        got = {json.loads(line)["dialogue_id"] for line in collected.read_text("utf-8").splitlines()}
        assert got == expected


def test_the_careful_team_is_clean(runs: Path) -> None:
    findings = _json(runs / "careful" / "validation.json")["findings"]
    assert [finding for finding in findings if finding["severity"] != "info"] == []


def test_what_the_hostile_team_tried_is_named_and_nothing_of_the_host_came_out(runs: Path) -> None:
    report = _json(runs / "hostile" / "validation.json")
    codes = Counter(finding["code"] for finding in report["findings"])
    assert codes["E_OUT_TYPE"] >= 1
    assert codes["W_OUT_EXTRA"] >= 1
    passwd = Path("/etc/passwd").read_bytes()
    for path in (runs / "hostile").rglob("*"):
        assert not stat.S_ISLNK(path.lstat().st_mode)
        if path.is_file():
            assert passwd not in path.read_bytes()


def test_nothing_that_the_hostile_team_tried_succeeded(runs: Path) -> None:
    log = (runs / "hostile" / "container.log").read_text("utf-8", "replace")
    tried = [line for line in log.splitlines() if ": refused (" in line or "SUCCEEDED" in line]
    assert len(tried) >= 9, "the hostile image did not try"
    assert [line for line in tried if "SUCCEEDED" in line] == []


def test_the_log_of_a_container_is_for_the_organisers_alone(runs: Path) -> None:
    assert stat.S_IMODE((runs / "hostile" / "container.log").stat().st_mode) == 0o600


def test_an_image_that_does_not_exist_is_the_callers_fault(
    humdial: Any, engine: Any, dev: Path, tmp_path: Path
) -> None:
    result = humdial("run", "no/such:image", "--inputs", dev, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert result.stdout == ""


@pytest.mark.usefixtures("engine")
def test_a_folder_with_other_files_is_not_overwritten(humdial: Any, dev: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("keep me")
    result = humdial("run", "no/such:image", "--inputs", dev, "--out", tmp_path)
    assert result.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "keep me"
