"""Writes judge.lock and judge-cuda.lock from judge.in (needs pip-tools).

judge.lock is what every judge image holds. Its torch line carries the hashes of the index's wheels and of every CPU
build (version +cpu) that pip finds besides, because an index may offer either. The index's own build for x86-64 needs
NVIDIA's libraries even on a CPU; they stand in judge-cuda.lock and are taken only with that build.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# silero-vad is used through its weights alone, so what its package asks for is left out.
LEFT_OUT = ("torchaudio", "onnxruntime", "flatbuffers", "protobuf", "setuptools")
CUDA = re.compile(r"(?:nvidia-|cuda-|triton)")


def main() -> int:
    lock = compiled()
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    common = [
        with_cpu_builds(entry) if entry.startswith("torch==") else entry for entry in entries if not CUDA.match(entry)
    ]
    (HERE / "judge.lock").write_text("".join(common), "utf-8")
    (HERE / "judge-cuda.lock").write_text("".join(entry for entry in entries if CUDA.match(entry)), "utf-8")
    print(f"judge.lock: {len(common)} packages; judge-cuda.lock: {len(entries) - len(common)}")
    return 0


def compiled() -> str:
    """pip-compile's answer from the index alone, without comments."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "all.lock"
        flags = [
            "--no-emit-index-url",
            "--no-emit-find-links",
            "--no-emit-trusted-host",
            "--no-header",
            "--no-annotate",
        ]
        leave = [word for name in LEFT_OUT for word in ("--unsafe-package", name)]
        command = [
            sys.executable,
            "-m",
            "piptools",
            "compile",
            "-q",
            "--generate-hashes",
            "--strip-extras",
            *flags,
            *leave,
        ]
        environment = {**os.environ, "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        subprocess.run(
            [*command, "-o", str(out), str(HERE / "judge.in")], check=True, env=environment, capture_output=True
        )
        text = out.read_text("utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() and not line.startswith("#"))


def with_cpu_builds(entry: str) -> str:
    """The torch entry with the hashes of the CPU wheels that this pip finds."""
    version = entry.split("==")[1].split(" ", maxsplit=1)[0]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"torch=={version}+cpu"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return entry
        hashes = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in Path(folder).glob("*.whl")}
    lines = [line.rstrip(" \\\n") for line in entry.strip().splitlines()]
    known = set(re.findall(r"sha256:([0-9a-f]{64})", entry)) | hashes
    return " \\\n".join([lines[0], *(f"    --hash=sha256:{each}" for each in sorted(known))]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
