"""The two layers of the judge image: the locked packages, and the part of the harness that runs in the container."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import MachineError
from harness.judge.prompts import prompt_files
from harness.resources import cache_dir, data_dir
from harness.sandbox.image_archive import Entry, Layer

Progress = Callable[[str], None]
PYTHON_VERSION = "3.11"
LOCKS = ("judge.lock", "judge-torch-cpu.lock", "judge-torch-cuda.lock")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC_MINOR = 36  # Debian 12, the base, has glibc 2.36
# Of the harness only what the worker imports: a change elsewhere makes no other judge.
_MODULES = (
    *(
        "__init__",
        "errors",
        "resources",
        "documents/__init__",
        "documents/codec",
        "documents/duplex",
        "documents/verdict",
    ),
    *("challenge/__init__", "challenge/duplex", "challenge/reading", "challenge/spec", "challenge/text_rules"),
)
_ROOMS = ("hearing", "judge")
# Headers, libraries for C, tests and command line tools that no import needs. Of torch/bin, torch wants one program.
_SKIPPED = (
    *("torch/include/", "torch/share/", "torch/test/", "torch/bin/", "bin/", "caffe2/"),
    "onnxruntime/capi/libonnxruntime.so.",
)
_WANTED = ("torch/bin/torch_shm_manager",)


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
    wheelhouse. Of torch the CPU build is taken where pip finds it, else the index's own with NVIDIA's libraries."""
    wheels = cache_dir() / "wheelhouse"
    wheels.mkdir(parents=True, exist_ok=True)
    locks = data_dir("requirements")
    # No --find-links here: it would replace the places that the user's own pip settings name, where a CPU build may be.
    download = ["download", "-d", str(wheels), *_strictly(architecture)]
    progress("fetching the judge's packages (about 190 MB) and the CPU build of torch (about 200 MB)")
    common, cpu, cuda = (["-r", str(locks / name)] for name in LOCKS)
    _pip([*download, *common], "fetch the judge's wheels")
    try:
        _pip([*download, *cpu], "fetch the CPU build of torch")
        return [*common, *cpu], wheels
    except MachineError:
        progress("pip finds no CPU build of torch; fetching the one with NVIDIA's libraries (2.7 GB)")
    _pip([*download, *cuda], "fetch torch")
    return [*common, *cuda], wheels


def site_layer(site: Path, target: str) -> Layer:
    """The packages below ``target``."""
    return Layer.from_tree(site, target, skip=_is_skipped)


def _is_skipped(name: str) -> bool:
    return name not in _WANTED and (
        name.startswith(_SKIPPED) or name.endswith((".a", ".pyc")) or "tests" in name.split("/")[1:-1]
    )


def application_layer(target: str) -> Layer:
    """The worker's part of the harness and the prompts below ``target``: small, and the last layer."""
    package = Path(__file__).resolve().parent.parent
    files = [(f"harness/{module}.py", package / f"{module}.py") for module in _MODULES]
    for room in _ROOMS:
        files += [(f"harness/{path.relative_to(package)}", path) for path in (package / room).rglob("*.py")]
    files += [(f"prompts/{name}", path) for name, path in prompt_files().items()]
    return Layer({f"{target.strip('/')}/{name}": Entry(path) for name, path in files})


def _strictly(architecture: str) -> list[str]:
    machine = _MACHINES[architecture]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 4, -1)]
    platforms += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    chosen = [word for platform in platforms for word in ("--platform", platform)]
    return [
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check"),
        *("--python-version", PYTHON_VERSION, "--implementation", "cp", *chosen),
    ]


def _pip(arguments: list[str], what: str) -> None:
    done = _run_pip(arguments)
    if done.returncode:
        raise MachineError(
            f"pip could not {what}",
            code="I_JUDGE_BUILD",
            hint="check that pip reaches its index, then run `humdial judge build` again",
            detail=done.stderr[-4000:],
        )


def _run_pip(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", *arguments]
    environment = {**os.environ, "PIP_NO_INPUT": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
