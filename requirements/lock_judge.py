"""Writes judge.lock, tokenizers.lock and the two judge-torch locks from judge.in (needs pip-tools, takes minutes).

judge.lock is what every judge image holds. torch stands apart, because pip prefers a wheel whose hash its index names
to any other that the lock allows: judge-torch-cpu.lock has the CPU build (version +cpu) and is tried first,
judge-torch-cuda.lock has the index's own build with NVIDIA's libraries, which it needs even on a CPU.
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
LEFT_OUT = ("torchaudio", "setuptools")
TORCH = re.compile(r"(?:torch==|nvidia-|cuda-|triton)")


def main() -> int:
    entries = re.split(r"^(?=[a-z])", compiled(), flags=re.MULTILINE)[1:]
    common = [entry for entry in entries if not TORCH.match(entry)]
    torch = [entry for entry in entries if TORCH.match(entry)]
    version = next(entry for entry in torch if entry.startswith("torch==")).split("==")[1].split(" ")[0]
    (HERE / "judge.lock").write_text("".join(common), "utf-8")
    # The development environment has the judge's tokenizers alone, for tests on real vocabularies.
    (HERE / "tokenizers.lock").write_text("".join(e for e in common if e.startswith("tokenizers==")), "utf-8")
    (HERE / "judge-torch-cuda.lock").write_text("".join(torch), "utf-8")
    (HERE / "judge-torch-cpu.lock").write_text(cpu_build(version), "utf-8")
    print(f"judge.lock: {len(common)} packages, and {len(torch)} with the index's own torch")
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


def cpu_build(version: str) -> str:
    """The lock of torch's CPU build, as pip finds it: on an index, or in a folder that PIP_FIND_LINKS names."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"torch=={version}+cpu"]
        subprocess.run(command, check=True)
        hashes = sorted(hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in Path(folder).glob("*.whl"))
    return " \\\n".join([f"torch=={version}+cpu", *(f"    --hash=sha256:{each}" for each in hashes)]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
