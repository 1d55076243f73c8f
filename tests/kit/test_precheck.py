"""`humdial precheck` with real images: one that is ready, one that is too slow, and what each kind of fault tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from shown import execute, shown

from harness.challenge.load import load_challenge
from harness.documents.finding import Finding
from harness.evaluation.precheck import hidden_dialogues, nested_sets
from harness.kit import write_kit
from harness.resources import schema_path
from harness.sandbox import Engine, attempted_hosts
from harness.submission import read_references

CHALLENGE = load_challenge()
# The kit's participant, slowed down: it sleeps for every dialogue that it answers.
SLOW = "import sys, time\nsys.path.insert(0, '/app')\nimport main\nwas = main.answer\n"
SLOW += "def answer(*a):\n    n = was(*a)\n    time.sleep(0.3 * n)\n    return n\nmain.answer = answer\nmain.main()\n"
HUB = "import urllib.request\nurllib.request.urlopen('https://huggingface.co/some/model', timeout=5)\n"


def fits_the_schema(plain: Any) -> bool:
    validator = jsonschema_rs.validator_for(json.loads(schema_path("precheck-report").read_text("utf-8")))
    return bool(validator.is_valid(plain))


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of the kit's image."""
    folder = write_kit(tmp_path_factory.mktemp("kit") / "alpha", CHALLENGE, team="alpha").folder
    names = ("main.py", "voice.py", "challenge.json")
    return {f"app/{name}": (folder / "participant" / name).read_text("utf-8") for name in names}


def limits(folder: Path, **values: int) -> Path:
    path = folder / "limits.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
    return path


@pytest.mark.engine
def test_the_kit_is_ready_and_its_slow_twin_is_not(
    engine: Engine, build_image, team: dict[str, str], kit_dev: Path, call, environment, tmp_path: Path
) -> None:
    good = build_image("COPY app /app", 'ENTRYPOINT ["python3", "/app/main.py"]', files=team)
    engine.api.tag(good, "my-image")
    shutil.copytree(kit_dev, tmp_path / "dev")
    execute(shown("how-to/participants.md", "humdial precheck my-image"), tmp_path, environment)
    report = json.loads((tmp_path / "tried" / "precheck.json").read_text("utf-8"))
    assert fits_the_schema(report)
    assert (report["verdict"], report["valid"], report["offline"], report["hosts"]) == ("ready", True, True, [])
    assert [run["dialogues"] for run in report["runs"]] == [6, 12]
    assert report["time"]["dialogues"] == 900
    assert report["time"]["low_s"] <= report["time"]["expected_s"] <= report["time"]["high_s"]
    assert report["memory"]["limit_bytes"] == CHALLENGE.run_limits.memory_bytes
    assert [fix["code"] for fix in report["fixes"] if fix["severity"] == "error"] == []

    files = {**team, "app/slow.py": SLOW}
    slow = build_image("COPY app /app", 'ENTRYPOINT ["python3", "/app/slow.py"]', files=files)
    tight = limits(tmp_path, wall_s=100)
    done = call("humdial", "precheck", slow, "--inputs", kit_dev, "--limits", tight, "--no-progress")
    assert done.returncode == 1, done.stdout
    assert done.stdout.startswith("not ready: ")
    assert "E_PRE_TIME: 900 dialogues will take" in done.stdout
    assert done.stderr == ""


@pytest.mark.engine
def test_a_hub_that_cannot_be_reached_is_named_and_ends_the_series(
    build_image, kit_dev: Path, call, tmp_path: Path
) -> None:
    image = build_image("COPY hub.py /hub.py", 'ENTRYPOINT ["python3", "/hub.py"]', files={"hub.py": HUB})
    # A traceback of the team's own program is in its log, not in what we print.
    done = call("humdial", "precheck", image, "--inputs", kit_dev, "--out", tmp_path / "hub", "-f", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert fits_the_schema(report)
    assert json.loads((tmp_path / "hub" / "precheck.json").read_text("utf-8")) == report
    assert [(run["dialogues"], run["state"]) for run in report["runs"]] == [(6, "failed")]
    assert (report["verdict"], report["valid"], report["offline"], report["time"]) == ("not_ready", None, False, None)
    codes = [fix["code"] for fix in report["fixes"]]
    assert codes[0] == "R_EXIT"
    assert "W_PRE_NETWORK" in codes


def test_the_host_is_read_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text(
        "loading\n(MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with "
        "url: /x (Caused by NameResolutionError('Failed to resolve')\")\nbye https://example.org\n\n\n\n\n"
        "see https://far-away.example.com for help\n"
    )
    assert attempted_hosts(log) == (("huggingface.co", "example.org"), True)
    log.write_text("read https://example.org/licence\n")
    assert attempted_hosts(log) == ((), False)
    assert attempted_hosts(tmp_path / "none") == ((), False)


def test_the_parts_are_nested_and_hold_every_task_and_language(kit_dev: Path) -> None:
    dialogues = read_references(kit_dev, CHALLENGE, need_labels=False).dialogues
    sets = nested_sets(dialogues * 4)
    assert [len(part) for part in sets] == [12, 24, 48]
    for part in sets:
        assert {(each.task, each.language) for each in part} == {(each.task, each.language) for each in dialogues}
    assert [len(part) for part in nested_sets(dialogues[:1])] == [1]
    assert hidden_dialogues(CHALLENGE, dialogues) == 900


def test_what_else_a_team_is_told(tmp_path: Path, kit_dev: Path) -> None:
    """Time, memory, output and mix, from measurements that no small image gives."""
    from dataclasses import replace

    from harness.documents.run_record import OutputFile, RunRecord
    from harness.evaluation.precheck import judged
    from harness.reporting.precheck import precheck_text

    gib = 2**30
    files = (OutputFile("en/task2.jsonl", gib, "0" * 64),)
    record = RunRecord(1, "sha256:0", "completed", "none", 0, False, 4 * 3600 / 900 * 6, 30 * gib, files, {}, "")
    later = replace(record, wall_s=4 * 3600 / 900 * 12, peak_memory_bytes=62 * gib)
    dialogues = read_references(kit_dev, CHALLENGE, need_labels=False).dialogues
    unmixed = [each for each in dialogues if each.task != "task4"]
    report = judged([(6, record), (12, later)], None, unmixed, CHALLENGE, CHALLENGE.run_limits, tmp_path / "none", None)
    found = {fix.code: fix for fix in report.fixes}
    assert list(found) == ["E_PRE_OUTPUT", "W_PRE_TIME", "W_PRE_MEMORY", "W_PRE_MIX"]
    assert report.verdict == "not_ready"
    assert "task4 en" in found["W_PRE_MIX"].message
    text = precheck_text(report)
    assert "14,400 s expected on 900 dialogues" in text
    assert isinstance(found["W_PRE_TIME"], Finding)
