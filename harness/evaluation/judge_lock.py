"""The lock of a built judge: what it was made from and what came out, and what differs from it now."""

from __future__ import annotations

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.challenge.spec import JudgeProfile
from harness.documents.codec import read_document, to_plain
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_contents import LOCKS
from harness.judge import prompt_digests
from harness.resources import cache_dir, data_dir

ARCHIVE, LOCK, WEIGHTS = "image.tar", "lock.json", "weights"
_PACKAGE = re.compile(r"^([A-Za-z0-9_.-]+)==([^ \\]+)", re.MULTILINE)
_ENGINE_PACKAGES = ("torch", "transformers", "tokenizers", "xgrammar", "numpy", "silero-vad", "onnxruntime")
_REVISION = re.compile(r"[0-9a-f]{40}")
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class JudgeLock:
    """What was built from what (schemas/judge-lock). ``inputs`` decides whether it has to be built again.

    ``weights`` and ``prompts`` map each file to its digest; ``wheels`` each wheel to its own; ``versions`` are the
    engine's packages; ``settings`` the profile's (decoding, dtype, rows, thresholds); ``revision`` the checkpoint's.
    """

    schema_version: int
    profile: str
    inputs: str
    image_id: str
    base: str
    weights: dict[str, str]
    made: str = "archive"
    engine: str = ""
    revision: str = ""
    wheels: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    installed: str = ""


def stored_lock(folder: Path) -> JudgeLock | None:
    """The lock in a judge's folder, None when it was never built. Raises UsageError (E_DOCUMENT)."""
    path = folder / LOCK
    return read_document(JudgeLock, path) if path.is_file() else None


def locked_packages() -> dict[str, str]:
    """Name → version of everything in the judge's package locks; of torch, the CPU build."""
    root = data_dir("requirements")
    found: dict[str, str] = {}
    for name in LOCKS:
        for package, version in _PACKAGE.findall((root / name).read_text("utf-8")):
            found.setdefault(package, version)
    return found


def engine_versions() -> dict[str, str]:
    """The packages that can move a mark."""
    packages = locked_packages()
    return {name: packages[name] for name in _ENGINE_PACKAGES if name in packages}


def wheel_digests() -> dict[str, str]:
    """File name → ``sha256:…`` of the wheels of the lock that lie in the wheelhouse."""
    wheels = cache_dir() / "wheelhouse"
    found = {}
    for package, version in sorted(locked_packages().items()):
        for path in sorted(wheels.glob(f"{package.replace('-', '_')}-{version}*.whl")):
            found[path.name] = file_digest(path)
    return found


def check_weights(folder: Path, profile: JudgeProfile) -> None:
    """Raises MachineError (E_WEIGHTS) when a checkpoint folder is not there, lacks a file, holds a tensor file that is
    cut short, or says that it is of another revision than the spec's."""
    if not folder.is_dir():
        raise weights_error("the folder of weights is not there")
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        if profile.engine != "likelihood" and not (folder / name).is_file():
            raise weights_error(f"the weights lack {name}")
    shards = sorted(folder.glob("*.safetensors"))
    if (folder / INDEX).is_file():
        listed = set(json.loads((folder / INDEX).read_text("utf-8"))["weight_map"].values())
        absent = sorted(listed - {path.name for path in shards})
        if absent:
            raise weights_error(f"the weights lack {absent[0]} and {len(absent) - 1} more files")
    if not shards:
        raise weights_error("the weights hold no model.safetensors")
    for path in shards:
        _check_whole(path)
    wanted, named = profile.settings.get("revision", ""), folder.resolve().name
    if wanted and _REVISION.fullmatch(named) and named != wanted:
        raise weights_error(f"the weights are of revision {named}, the challenge asks for {wanted}")


def _check_whole(path: Path) -> None:
    """A safetensors file says in its header where its last tensor ends."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(min(length, 1 << 28))) if 0 < length < size else None
            end = max(entry["data_offsets"][1] for name, entry in (header or {}).items() if name != "__metadata__")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise weights_error(f"{path.name} is no whole safetensors file") from error
    if size != 8 + length + end:
        raise weights_error(f"{path.name} has {size} bytes, its header says {8 + length + end}")


def weights_error(what: str) -> MachineError:
    return MachineError(
        what, code="E_WEIGHTS", hint="fetch the pinned checkpoint, then `humdial judge build PROFILE --weights FOLDER`"
    )


def folder_digests(folder: Path) -> dict[str, str]:
    """Relative path → ``sha256:…`` of every file of a folder, several at a time."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(4) as pool:
        return dict(zip((p.relative_to(folder).as_posix() for p in paths), pool.map(file_digest, paths), strict=True))


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def lock_differences(lock: JudgeLock, profile: JudgeProfile | None) -> list[str]:
    """What the installed prompts, package locks and spec say otherwise than ``lock``."""
    now: dict[str, dict[str, Any]] = {"prompt": prompt_digests()}
    then: dict[str, dict[str, Any]] = {"prompt": lock.prompts}
    if lock.made == "archive":
        now["package"], then["package"] = engine_versions(), lock.versions
    if profile is not None:
        now["setting"], then["setting"] = profile.settings, lock.settings
    return [
        f"the {kind} {name} is {now[kind].get(name, 'missing')}, the lock says {then[kind].get(name, 'none')}"
        for kind in now
        for name in sorted(now[kind].keys() | then[kind].keys())
        if now[kind].get(name) != then[kind].get(name)
    ]


def reference_differences(lock: JudgeLock, reference: Path) -> list[str]:
    """How a built judge differs from the lock that the organisers published. Raises UsageError (E_DOCUMENT)."""
    theirs = to_plain(read_document(JudgeLock, reference))
    ours = to_plain(lock)
    return [
        f"{name} differs from {reference.name}"
        for name in theirs
        if name != "inputs" and ours[name] != theirs[name] and not (name == "image_id" and lock.installed)
    ]


def missing(profile: str) -> UsageError:
    return UsageError(
        f"the judge {profile} has not been built", code="E_JUDGE_MISSING", hint=f"run `humdial judge build {profile}`"
    )
