"""The judge's image and weights: made once from locked wheels and the base image, found again in a moment.

`Dockerfile.judge` is the same recipe for those who build from a registry. Here the image is written by hand, because
then its id depends on its contents alone (harness/sandbox/image_archive.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest, pretty_json, read_document, to_plain, write_atomic
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_contents import LOCKS, application_layer, install_site, site_layer
from harness.evaluation.judge_weights import SOURCES, make_weights
from harness.judge import prompt_digests
from harness.resources import cache_dir, data_dir
from harness.sandbox import Engine, connect
from harness.sandbox.image_archive import ImageConfig, verify_archive, write_image

ARCHIVE, LOCK, WEIGHTS = "image.tar", "lock.json", "weights"
SITE, APPLICATION = "/opt/judge/site", "/opt/judge/app"
_ENTRYPOINT = ("/usr/bin/python3", "-m", "harness.judge.worker")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class JudgeLock:
    """What was built from what (schemas/judge-lock). ``inputs`` decides whether it has to be built again."""

    schema_version: int
    profile: str
    inputs: str
    image_id: str
    base: str
    weights: dict[str, str]
    made: str = "archive"


@dataclass(frozen=True, slots=True)
class JudgeImage:
    """A judge that is ready: its image is known to the engine, ``weights`` is the folder to mount at /weights.

    ``fingerprint`` (``sha256:…``) is the digest of ``fingerprint_inputs``; tables never mix two of them.
    """

    profile: str
    image_id: str
    weights: Path
    lock: JudgeLock
    fingerprint: str
    fingerprint_inputs: dict[str, Any]


def judge_folder(profile: str) -> Path:
    """Where a profile's image, weights and lock lie."""
    return cache_dir() / "judge" / profile


def ensure_judge(challenge: Challenge, profile: JudgeProfile, *, progress: Progress = lambda text: None) -> JudgeImage:
    """The judge of ``profile``, built when it is missing or its inputs have changed.

    Raises UsageError (E_CONFIG) for a profile that has no embedded weights, MachineError (I_JUDGE_BUILD) when a part
    cannot be had, and I_ENGINE, I_DISK as its parts do.
    """
    if profile.id not in SOURCES or profile.engine != "likelihood":
        raise UsageError(
            f"the judge {profile.id!r} cannot be built here: this version builds {', '.join(SOURCES)}",
            code="E_CONFIG",
            hint="pass --judge small",
        )
    folder = judge_folder(profile.id)
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        engine = connect()
        inputs = _inputs(engine)
        lock = _stored_lock(folder)
        if lock is None or lock.inputs != digest(inputs) or not (folder / WEIGHTS).is_dir():
            lock = _build(engine, profile, folder, inputs, progress)
        elif engine.image_id(lock.image_id) is None:
            progress("loading the judge image into the engine (1 GB, up to half a minute)")
            _load(engine, folder / ARCHIVE, lock.image_id)
    return _ready(challenge, profile, folder, lock)


def verify_judge(profile: str) -> list[str]:
    """Recompute every digest of a built judge against its lock; returns what differs, nothing when all is well.

    Raises UsageError (E_JUDGE_MISSING) when the profile was never built.
    """
    folder = judge_folder(profile)
    lock = _stored_lock(folder)
    if lock is None:
        raise _missing(profile)
    problems = []
    try:
        found = verify_archive(folder / ARCHIVE)
        if found != lock.image_id:
            problems.append(f"the image archive is {found}, the lock says {lock.image_id}")
    except UsageError as error:
        problems.append(str(error))
    present = {path.name: _sha256(path) for path in sorted((folder / WEIGHTS).glob("*"))}
    for name in sorted(present.keys() | lock.weights.keys()):
        if present.get(name) != lock.weights.get(name):
            problems.append(
                f"the weights' {name} is {present.get(name, 'missing')}, the lock says {lock.weights.get(name, 'none')}"
            )
    return problems


def show_judge(challenge: Challenge, profile: JudgeProfile) -> JudgeImage:
    """A built judge as it is described, without an engine. Raises UsageError (E_JUDGE_MISSING)."""
    lock = _stored_lock(judge_folder(profile.id))
    if lock is None:
        raise _missing(profile.id)
    return _ready(challenge, profile, judge_folder(profile.id), lock)


def _ready(challenge: Challenge, profile: JudgeProfile, folder: Path, lock: JudgeLock) -> JudgeImage:
    inputs: dict[str, Any] = {
        "profile": profile.id,
        "engine": profile.engine,
        "model": profile.model,
        "settings": profile.settings,
        "image_id": lock.image_id,
        "weights": lock.weights,
        "prompts": prompt_digests(),
        "dtype": "float32",
    }
    return JudgeImage(profile.id, lock.image_id, folder / WEIGHTS, lock, digest(inputs), inputs)


def _build(
    engine: Engine, profile: JudgeProfile, folder: Path, inputs: dict[str, str], progress: Progress
) -> JudgeLock:
    """Image first (loaded when it is done), then the weights, converted inside it, then the lock."""
    (folder / LOCK).unlink(missing_ok=True)
    site = install_site(engine.host().architecture, inputs["packages"], progress)
    progress("writing the judge image (1 GB)")
    config = ImageConfig(
        env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": f"{APPLICATION}:{SITE}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
        },
        entrypoint=_ENTRYPOINT,
        architecture=engine.host().architecture,
        labels={"humdial.profile": profile.id},
    )
    layers = [site_layer(site, SITE), application_layer(APPLICATION)]
    image_id = write_image(base_tar(), layers, config, folder / ARCHIVE)
    progress("loading the judge image into the engine (up to half a minute)")
    _load(engine, folder / ARCHIVE, image_id)
    progress("converting the judge's weights inside the image, with no network")
    weights = make_weights(engine, image_id, profile.id, folder / WEIGHTS, progress)
    lock = JudgeLock(1, profile.id, digest(inputs), image_id, inputs["base"], weights)
    write_atomic(folder / LOCK, pretty_json(to_plain(lock)))
    progress(f"the judge {profile.id} is ready: {image_id}")
    return lock


def _inputs(engine: Engine) -> dict[str, str]:
    """Digests of all that goes into the image; quick: the base's digest is kept beside it."""
    packages = hashlib.sha256()
    for name in LOCKS:
        packages.update((data_dir("requirements") / name).read_bytes())
    application = application_layer(APPLICATION)
    contents = {name: hashlib.sha256(_bytes(entry.source)).hexdigest() for name, entry in application.entries.items()}
    return {
        "recipe": "1",
        "architecture": engine.host().architecture,
        "base": _base_digest(base_tar()),
        "packages": packages.hexdigest(),
        "application": digest(contents),
    }


def base_tar() -> Path:
    """The base image's root file system. Raises MachineError (I_JUDGE_BUILD) when it has not been made."""
    path = cache_dir() / "base" / "base.tar"
    if not path.is_file():
        raise MachineError(
            "the base image has not been made", code="I_JUDGE_BUILD", hint="run sandbox/base-image.sh in a checkout"
        )
    return path


def _base_digest(path: Path) -> str:
    """The sha256 of the base, remembered beside it for as long as its size and time stay the same."""
    status = path.stat()
    stamp = path.with_name("base.sha256")
    known = stamp.read_text("utf-8").split() if stamp.is_file() else []
    mark = f"{status.st_size}:{status.st_mtime_ns}"
    if len(known) == 2 and known[0] == mark:
        return known[1]
    found = _sha256(path)
    write_atomic(stamp, f"{mark} {found}\n".encode())
    return found


def _load(engine: Engine, archive: Path, image_id: str) -> None:
    if not archive.is_file() or verify_archive(archive) != image_id:
        raise MachineError(
            "the judge's image archive is not the one in its lock",
            code="I_JUDGE_BUILD",
            hint="`humdial judge build --again` makes it anew",
        )
    with archive.open("rb") as stream:
        engine.load(stream)
    if engine.image_id(image_id) is None:
        raise MachineError(
            "the engine gave the judge image another id", code="I_JUDGE_BUILD", hint="use Docker Engine 20.10 or later"
        )


def _stored_lock(folder: Path) -> JudgeLock | None:
    path = folder / LOCK
    return read_document(JudgeLock, path) if path.is_file() else None


def _missing(profile: str) -> UsageError:
    return UsageError(
        f"the judge {profile} has not been built", code="E_JUDGE_MISSING", hint=f"run `humdial judge build {profile}`"
    )


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two commands that want the same judge: the second waits for the first."""
    import fcntl

    with (folder / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _bytes(source: bytes | Path | str) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source.encode() if isinstance(source, str) else source


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
