"""What a release carries, and the workflows that make and check it. No runner was here: they are linted, not run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness import __version__

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = [
    *sorted(ROOT.glob(".github/workflows/*.yml")),
    *sorted(ROOT.glob(".github/actions/*/action.yml")),
    *sorted(ROOT.glob("harness/kit/template/github/workflows/*.yml")),
]


def test_the_workflows_have_no_finding() -> None:
    """zizmor at its strictest, offline: unpinned actions, wide permissions, template injection, kept credentials."""
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", "--format", "json", *WORKFLOWS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    findings = json.loads(result.stdout)
    assert [(finding["ident"], finding["desc"]) for finding in findings] == []
    assert result.returncode == 0, result.stderr


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    loose = re.sub(r"@[0-9a-f]{40} # v[\d.]+", "@v4", (ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    path = tmp_path / ".github" / "workflows" / "loose.yml"
    path.parent.mkdir(parents=True)
    path.write_text(loose, "utf-8")
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--format", "json", path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "unpinned-uses" in {finding["ident"] for finding in json.loads(result.stdout)}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_one_action_has_one_pin(path: Path) -> None:
    for used in re.findall(r"uses: (\S+.*)", path.read_text("utf-8")):
        assert used.startswith("./") or re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", used), used
    pins: dict[str, set[str]] = {}
    for each in WORKFLOWS:
        for name, pin in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", each.read_text("utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", [p for p in WORKFLOWS if p.name != "action.yml"], ids=lambda path: path.name)
def test_workflows_grant_nothing_at_the_top_and_know_no_secret(path: Path) -> None:
    text = path.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "secrets." not in text
    assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads the key `on` as a truth value
    if path.name != "release.yml":
        for job in workflow["jobs"].values():
            assert set(job.get("permissions", {}).values()) <= {"read"}


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == "Apache-2.0"
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_changelog_says_what_can_move_a_number() -> None:
    latest = (ROOT / "CHANGELOG.md").read_text("utf-8").partition("\n## ")[2].partition("\n## ")[0]
    assert "\n### Scores\n" in latest


def test_the_bill_of_materials_names_what_is_installed() -> None:
    command = [sys.executable, ROOT / "requirements" / "sbom.py", "humdial-harness"]
    outputs = {
        subprocess.run(
            command, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=300
        ).stdout
        for seed in "12"
    }
    (printed,) = outputs  # the same bytes twice
    bill = json.loads(printed)
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/humdial-harness@{__version__}"
    names = {entry["name"] for entry in bill["components"]}
    assert {"click", "numpy", "jsonschema", "attrs", "cffi"} <= names, "direct and indirect needs"
    assert not names & {"pytest", "torch", "sphinx"}, "nothing of the extras"


def test_every_dependency_has_a_lowest_version() -> None:
    command = [sys.executable, ROOT / "requirements" / "lowest.py"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.split()
    assert "click==8.2" in printed
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", line) for line in printed)
