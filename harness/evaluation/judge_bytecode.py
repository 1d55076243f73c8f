"""The judge image's own sources as Python bytecode, kept beside the image: a start without it compiles 2,500 files.

It is made once by the image itself, with no network and from nothing but its own files, and mounted read-only. Python
takes a file of it only when name, time and size of the source agree, and compiles the source itself otherwise. It is
not in the image, whose id must be the same on every machine, and not in the fingerprint; `humdial judge verify` checks
that it is what was made.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from harness.documents.codec import digest, write_atomic
from harness.errors import MachineError
from harness.evaluation.judge_container import BYTECODE, bytecode_folder, image_program
from harness.evaluation.judge_lock import folder_digests
from harness.sandbox import Engine

_CAP_BYTES = 512 << 20
_PROGRAM = f"""
import sys
sys.dont_write_bytecode, sys.pycache_prefix = False, "/tmp{BYTECODE}"
import importlib, tarfile
import harness.judge.worker, gguf, onnxruntime, safetensors.torch, tokenizers, torch, transformers, xgrammar
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, LlamaForCausalLM, WhisperFeatureExtractor
from transformers import Qwen3OmniMoeThinkerForConditionalGeneration
for name in ("likelihood", "qwen3_omni", "speech", "quality", "checkpoint", "tiny"):
    importlib.import_module("harness.judge.engines." + name)
with tarfile.open("/output/bytecode.tar", "w") as archive:
    archive.add("/tmp{BYTECODE}", ".")
"""


def ensure_bytecode(engine: Engine, image_id: str) -> None:
    """Make the bytecode of a loaded judge image when it is missing. Raises MachineError (I_JUDGE_BUILD)."""
    target = bytecode_folder(image_id)
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    program = ("/usr/bin/python3", "-c", _PROGRAM)
    with (
        tempfile.TemporaryDirectory(prefix="bytecode-", dir=target.parent) as scratch,
        image_program(engine, image_id, program, output_bytes=_CAP_BYTES) as run,
    ):
        if run.outcome.exit_code != 0:
            raise MachineError(
                "the judge image cannot compile its own sources",
                code="I_JUDGE_BUILD",
                hint="check the free space, then run `humdial judge build`",
                detail=run.said(),
            )
        made = Path(scratch) / "made"
        with tarfile.open(run.output / "bytecode.tar") as archive:
            archive.extractall(made, filter="data")
        made.chmod(0o755)
        write_atomic(_stamp(target), digest(folder_digests(made)).encode())
        made.replace(target)


def bytecode_problems(image_id: str) -> list[str]:
    """What is wrong with the kept bytecode of an image; nothing when it was never made."""
    target = bytecode_folder(image_id)
    if not target.is_dir():
        return []
    made = _stamp(target).read_text("utf-8") if _stamp(target).is_file() else ""
    return (
        [] if digest(folder_digests(target)) == made else [f"the bytecode in {target} is not what was made; delete it"]
    )


def _stamp(target: Path) -> Path:
    return target.with_name(target.name + ".digest")
