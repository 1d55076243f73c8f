"""The two layers of the judge image: the locked packages, and the part of the harness that runs in the container."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from harness.errors import MachineError
from harness.resources import cache_dir, data_dir
from harness.sandbox.image_archive import Entry, Layer

Progress = Callable[[str], None]
PYTHON_VERSION = "3.11"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = ("2_36", "2_35", "2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
# Of the harness only what the worker imports: a change elsewhere makes no other judge.
_MODULES = ("__init__", "errors", "resources", "documents/__init__", "documents/codec", "documents/verdict")
_MODULES += ("challenge/__init__", "challenge/spec")
# Headers, static libraries and command line tools that no import needs.
_SKIPPED = ("torch/include/", "torch/share/", "torch/test/", "bin/", "caffe2/")


def install_site(architecture: str, packages: str, progress: Progress) -> Path:
    """A folder with the locked packages, from the wheelhouse; ``packages`` names the lock's digest. Kept for later.

    Raises MachineError (I_JUDGE_BUILD) when pip fails or a hash differs.
    """
    site = cache_dir() / "judge-site" / f"{architecture}-{packages[:16]}"
    if site.is_dir():
        return site
    locks, wheels = download_wheels(architecture, progress)
    progress(f"installing {len(list(wheels.glob('*.whl')))} wheels without a network")
    partial = site.with_name(site.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    arguments = ["install", "--no-index", "--find-links", str(wheels), "--no-compile", "--target", str(partial)]
    _pip([*arguments, *_strictly(architecture), *locks], "install the judge's packages")
    partial.replace(site)
    return site


def download_wheels(architecture: str, progress: Progress) -> tuple[list[str], Path]:
    """Fill the wheelhouse through pip; what is there already is not fetched again. Returns pip's -r options and the
    wheelhouse. The NVIDIA packages are fetched only when the index gave a torch that needs them."""
    wheels = cache_dir() / "wheelhouse"
    wheels.mkdir(parents=True, exist_ok=True)
    progress("fetching the judge's wheels (about 250 MB; 3 GB where only a CUDA build of torch is offered)")
    locks = ["-r", str(data_dir("requirements") / "judge.lock")]
    download = ["download", "-d", str(wheels), "--find-links", str(wheels), *_strictly(architecture)]
    _pip([*download, *locks], "fetch the judge's wheels")
    if any(_needs_cuda(wheel) for wheel in wheels.glob("torch-*.whl")):
        locks += ["-r", str(data_dir("requirements") / "judge-cuda.lock")]
        _pip([*download, *locks], "fetch the NVIDIA libraries that this build of torch needs")
    return locks, wheels


def site_layer(site: Path, target: str) -> Layer:
    """The packages below ``target``."""
    return Layer.from_tree(site, target, skip=lambda name: name.startswith(_SKIPPED) or name.endswith((".a", ".pyc")))


def application_layer(target: str) -> Layer:
    """The worker's part of the harness and the prompts below ``target``: small, and the last layer."""
    package = Path(__file__).resolve().parent.parent
    files = [(f"harness/{module}.py", package / f"{module}.py") for module in _MODULES]
    files += [
        (f"harness/judge/{path.relative_to(package / 'judge')}", path) for path in (package / "judge").rglob("*.py")
    ]
    prompts = data_dir("prompts")
    files += [
        (f"prompts/{path.relative_to(prompts)}", path) for path in prompts.rglob("*") if path.suffix in (".toml", ".md")
    ]
    return Layer({f"{target.strip('/')}/{name}": Entry(path) for name, path in files})


def _strictly(architecture: str) -> list[str]:
    machine = _MACHINES[architecture]
    platforms = [f"manylinux_{glibc}_{machine}" for glibc in _GLIBC] + [f"manylinux2014_{machine}"]
    chosen = [word for platform in platforms for word in ("--platform", platform)]
    return [
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check"),
        *("--python-version", PYTHON_VERSION, "--implementation", "cp", *chosen),
    ]


def _needs_cuda(wheel: Path) -> bool:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return b"Requires-Dist: nvidia-" in archive.read(name)


def _pip(arguments: list[str], what: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PIP_NO_INPUT": "1"})
    if done.returncode:
        raise MachineError(
            f"pip could not {what}",
            code="I_JUDGE_BUILD",
            hint="check that pip reaches its index, then run `humdial judge build` again",
            detail=done.stderr[-4000:],
        )
