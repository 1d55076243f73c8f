"""What a participant installs: a wheel that validates without a checkout, without torch and without Docker."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import made
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked: no checkout is in reach of what is built from it."""
    folder = tmp_path_factory.mktemp("sdist")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder]
    subprocess.run(hatchling, cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def site(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the source archive, unpacked as pip would install it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    isolated = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *isolated, "--no-build-isolation", "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", *isolated, "--target", folder / "site", wheel], check=True)
    return folder / "site"


def installed(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as installed: only the wheel's harness is in reach, from a folder that is no checkout."""
    script = f"import sys; sys.path.insert(0, {str(site)!r}); from harness.cli.main import run; run()"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=site.parent, env=environment, timeout=60)


def test_the_wheel_brings_its_schemas_prompts_and_spec(site: Path) -> None:
    assert "validation-report" in installed(site, "schema", "list").stdout
    assert "humdial-2026" in installed(site, "challenge", "show").stdout
    assert (site / "harness" / "_data" / "prompts").is_dir()
    assert (site / "harness" / "_data" / "sandbox" / "seccomp.json").is_file()
    assert (site / "share" / "man" / "man1" / "humdial.1").is_file()  # in an environment, `man humdial` finds it


def test_the_wheel_carries_every_file_that_a_checkout_has(site: Path) -> None:
    """Schemas, prompts, the sandbox's assets and the rest, and of the package also what is no Python."""
    places = {
        name: Path("harness", "_data", name) for name in ("schemas", "prompts", "canaries", "sandbox", "requirements")
    }
    for name, place in {**places, "harness": Path("harness")}.items():
        listed = subprocess.run(["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        tracked = [Path(path).relative_to(name) for path in listed.splitlines()]
        assert tracked
        assert [path for path in tracked if not (site / place / path).is_file()] == []


def test_the_installed_command_validates_without_torch(site: Path, tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "task2.jsonl").write_bytes(b'\xef\xbb\xbf{"dialogue_id": NaN}\n')
    result = installed(site, "validate", "--layout", "seed", tmp_path)
    assert result.returncode == 1, result.stderr
    assert "E_JSON_BOM" in result.stdout
    assert str(ROOT) not in result.stdout + result.stderr

    sound = made.write(tmp_path / "sound", made.submission())
    result = installed(site, "validate", sound)
    assert (result.returncode, result.stderr) == (0, "")
    assert ": valid, 0 errors, 0 warnings" in result.stdout


def test_the_source_archive_carries_what_a_checkout_has(source: Path) -> None:
    for name in ("schemas", "prompts", "sandbox", "canaries", "requirements", "tests", "docs", "examples", ".github"):
        tracked = subprocess.run(
            ["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert [path for path in tracked if not (source / path).is_file()] == []
    assert not (source / ".cache").exists()
    assert not (source / ".venv").exists()


def test_the_wheel_names_its_licence(site: Path) -> None:
    (info,) = site.glob("*.dist-info")
    assert "License-Expression: Apache-2.0" in (info / "METADATA").read_text("utf-8")
    assert (info / "licenses" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
