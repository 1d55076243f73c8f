"""An installation as a stranger makes it, without a network: pip finds what it needs on this machine.

Dependencies are those of the tests' own environment. tests/gate installs them from the registry, for real.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What is installed or hooked into; the rest of a checkout is not needed for it.
_NEEDED = ("harness/", "schemas/", "prompts/", "canaries/", "sandbox/", "requirements/", "docs/humdial.1")


def published(folder: Path) -> Path:
    """The checkout's own files as they lie here, without caches."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (name.startswith(_NEEDED) or "/" not in name) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def commit(folder: Path) -> str:
    """Make a repository of one commit of it; its name."""
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for command in (["init", "-q"], ["add", "-A", "-f"], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    named = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return named.stdout.strip()


def forge(folder: Path) -> dict[str, str]:
    """Variables with which git takes this folder for the repository on a forge that the pages name."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/OWNER/REPOSITORY",
    }


def no_network(home: Path) -> dict[str, str]:
    """Variables with which pip installs into any environment and asks no registry."""
    return {
        "PYTHONPATH": str(_dependencies(home / "dependencies")),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it the wrong way round: 0 is without isolation
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def environment_in(folder: Path) -> Path:
    """An empty virtual environment; its folder of programs. `pip` is that of the tests: a copy would take seconds."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = folder / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    pip.chmod(0o755)
    return folder / "bin"


def _dependencies(folder: Path) -> Path:
    """Every installed package but the harness itself."""
    without = ("humdial", "_editable", "setuptools", "_distutils_hack")
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(without) and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


def wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made
