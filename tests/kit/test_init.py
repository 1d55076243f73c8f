"""`humdial init`: the kit that it writes works from the first minute."""

from __future__ import annotations

import ast
import json
import shutil
import stat
import sys
from pathlib import Path

import pytest
import yaml
from shown import execute, shown

from harness.challenge.load import load_challenge
from harness.kit import write_kit

CHALLENGE = load_challenge()
OFFLINE = ("BASE_IMAGE=humdial/base:local", "BUILD_FLAGS=-q --network none --pull=false")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory, call, kit_dev: Path) -> Path:
    """The kit of team alpha, with a dev set beside it."""
    folder = tmp_path_factory.mktemp("kit") / "alpha"
    done = call("humdial", "init", folder)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.splitlines()) == {str(path) for path in folder.rglob("*") if path.is_file()}
    shutil.copytree(kit_dev, folder / "dev")
    return folder


def test_the_skeleton_is_a_valid_draft_of_the_team(kit: Path, call) -> None:
    done = call("make", "check", cwd=kit)
    assert done.returncode == 0, done.stdout
    assert json.loads((kit / "submission" / "submission.json").read_text())["team"] == "alpha"
    assert "system_description.pdf is missing" in done.stdout


def test_nothing_is_left_to_fill_in_and_the_scripts_parse(kit: Path) -> None:
    for path in kit.rglob("*"):
        if path.is_file() and "dev" not in path.relative_to(kit).parts:
            assert not any(f"@{name}@" in path.read_text("utf-8") for name in ("TEAM", "TASKS", "VERSION", "PDF"))
    assert stat.S_IMODE((kit / "run.sh").stat().st_mode) == 0o755
    for script in (kit / "participant").glob("*.py"):
        imported = {
            name.name.partition(".")[0]
            for node in ast.walk(ast.parse(script.read_text("utf-8")))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert imported <= sys.stdlib_module_names | {"voice"}


def test_its_workflow_grants_nothing_and_pins_what_it_uses(kit: Path) -> None:
    workflow = yaml.safe_load((kit / ".github" / "workflows" / "check.yml").read_text())
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert all(len(step["uses"].partition("@")[2]) == 40 for step in job["steps"] if "uses" in step)


@pytest.mark.engine
@pytest.mark.usefixtures("base_image")
def test_the_kit_is_built_run_in_the_sandbox_and_its_output_is_valid(kit: Path, environment, call) -> None:
    done = call("make", "image", "IMAGE=my-image", *OFFLINE, cwd=kit)
    assert done.returncode == 0, done.stdout + done.stderr
    execute(shown("how-to/participants.md", "humdial run my-image"), kit, environment)
    record = json.loads((kit / "try" / "run.json").read_text())
    assert (record["state"], record["fault"], record["exit_code"]) == ("completed", "none", 0)
    found = json.loads((kit / "try" / "validation.json").read_text())["findings"]
    assert [each for each in found if each["severity"] != "info"] == []
    # `make outputs`, `make try` and `make final` are steps of the tutorial, which tests/docs executes.


def test_a_kit_follows_the_spec(tmp_path: Path) -> None:
    invented = load_challenge(str(Path(__file__).parents[1] / "data" / "invented.toml"))
    kit = write_kit(tmp_path / "kit", invented, team="beta")
    facts = json.loads((kit.folder / "participant" / "challenge.json").read_text("utf-8"))
    assert facts["languages"] == list(invented.languages) != list(CHALLENGE.languages)
    assert set(facts["tasks"]) <= {name for layout in invented.layouts.values() for name in layout.names.values()}
    assert invented.title in (kit.folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["kit", "--team", "A!"], "is no team id"),
        (["kit", "--team", "alpha", "--track", "track9"], "there is no track"),
        (["kit", "--team", "alpha", "--track", "track2"], "no kit can be written for track2"),
        (["full", "--team", "alpha"], "is not an empty folder"),
    ],
)
def test_what_cannot_be_is_the_callers_fault(tmp_path: Path, call, arguments: list[str], words: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("keep me")
    done = call("humdial", "init", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (tmp_path / "kit").exists()
    assert (tmp_path / "full" / "thesis.txt").read_text() == "keep me"
