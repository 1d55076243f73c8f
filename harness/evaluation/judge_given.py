"""A judge image that was built otherwise than as our archive: its id is another on every build, so what counts is a
digest of the files that are installed in it, and that enters the fingerprint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.spec import JudgeProfile
from harness.documents.codec import digest, pretty_json, to_plain, write_atomic
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_bytecode import ensure_bytecode
from harness.evaluation.judge_container import image_program
from harness.evaluation.judge_contents import application_layer
from harness.evaluation.judge_lock import LOCK, WEIGHTS, JudgeLock, file_digest, folder_digests, stored_lock
from harness.judge import prompt_digests
from harness.sandbox import Engine, connect

_CAP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Installed:
    """The engine's id of an image, the digest of its installed files, and its packages' versions."""

    image_id: str
    digest: str
    versions: dict[str, str]


def use_image(profile: JudgeProfile, image: str, folder: Path) -> JudgeLock:
    """Make the lock of ``profile`` in ``folder`` from an image that the engine has; the weights must lie there.

    Raises UsageError (E_JUDGE_MISSING) for an image that is not there, MachineError (I_JUDGE_BUILD) for one that holds
    no judge or one of another harness.
    """
    engine = connect()
    found = look_into(engine, image)
    ensure_bytecode(engine, found.image_id)
    lock = JudgeLock(
        schema_version=1,
        profile=profile.id,
        inputs=digest([found.digest]),
        image_id=found.image_id,
        base="",
        weights=folder_digests(folder / WEIGHTS),
        made="dockerfile",
        engine=profile.engine,
        revision=str(profile.settings.get("revision", "")),
        versions=found.versions,
        prompts=prompt_digests(),
        settings=profile.settings,
        installed=found.digest,
    )
    write_atomic(folder / LOCK, pretty_json(to_plain(lock)))
    return lock


def is_given(folder: Path) -> bool:
    """Whether the judge in ``folder`` stands on an image of the user's."""
    try:
        lock = stored_lock(folder)
    except UsageError:
        return False
    return lock is not None and lock.made != "archive"


def given_problems(lock: JudgeLock) -> list[str]:
    """How the image is other than its lock says."""
    engine = connect()
    if engine.image_id(lock.image_id) is None:
        return [f"the engine no longer has the image {lock.image_id}"]
    found = look_into(engine, lock.image_id)
    return [] if found.digest == lock.installed else [f"the installed files are {found.digest}, not {lock.installed}"]


def look_into(engine: Engine, image: str) -> Installed:
    """Let the image list its own files, in the sandbox. Raises as use_image."""
    image_id = engine.image_id(image)
    if image_id is None:
        raise UsageError(
            f"the engine has no image {image!r}", code="E_JUDGE_MISSING", hint="build or load it, then pass its name"
        )
    # -P: the working folder, which may be /, is no place from which the judge imports.
    program = ("python3", "-P", "-m", "harness.judge.installed", "/output/installed.json")
    with image_program(engine, image_id, program, output_bytes=_CAP_BYTES) as run:
        listed = run.take("installed.json")
        if run.outcome.exit_code != 0 or not listed:
            raise _no_judge(f"the image {image} holds no judge", run.said())
    found = json.loads(listed)
    files: dict[str, str] = found["files"]
    for name, entry in application_layer("app").entries.items():
        own = name.removeprefix("app")
        theirs = {value for path, value in files.items() if path.endswith(own)}
        if isinstance(entry.source, Path) and own.endswith(".py") and _sha256(entry.source) not in theirs:
            raise _no_judge(f"{own[1:]} in the image {image} is not this harness's", "")
    return Installed(image_id, digest(files), found["versions"])


def _sha256(path: Path) -> str:
    return file_digest(path).removeprefix("sha256:")


def _no_judge(what: str, detail: str) -> MachineError:
    return MachineError(
        what, code="I_JUDGE_BUILD", hint="build it with Dockerfile.judge from this checkout", detail=detail
    )
