"""The judge's image and weights: made once from locked wheels and the base image, found again in a moment.

`Dockerfile.judge` is the same recipe for those who build from a registry. Here the image is written by hand, because
then its id depends on its contents alone (harness/sandbox/image_archive.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.codec import digest, pretty_json, to_plain, write_atomic
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_bytecode import bytecode_problems, ensure_bytecode
from harness.evaluation.judge_contents import LOCKS, application_layer, install_site, site_layer
from harness.evaluation.judge_given import given_problems, is_given
from harness.evaluation.judge_lock import (
    ARCHIVE,
    LOCK,
    WEIGHTS,
    JudgeLock,
    check_weights,
    engine_versions,
    file_digest,
    folder_digests,
    lock_differences,
    missing,
    reference_differences,
    stored_lock,
    weights_error,
    wheel_digests,
)
from harness.evaluation.judge_weights import SOURCES, make_weights
from harness.judge import prompt_digests
from harness.resources import cache_dir, data_dir
from harness.sandbox import Engine, connect
from harness.sandbox.image_archive import ImageConfig, verify_archive, write_image

SITE, APPLICATION = "/opt/judge/site", "/opt/judge/app"
_ENGINES = ("likelihood", "transformers", "vllm")
_IN_OUR_IMAGE = ("likelihood", "transformers")
_STAMPS = "weights.stamps"
_ENTRYPOINT = ("/usr/bin/python3", "-m", "harness.judge.worker")
Progress = Callable[[str], None]


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

    Raises UsageError (E_CONFIG) for a profile whose engine does not run in our image, MachineError (E_WEIGHTS) when
    its weights are not there or not those of its lock, I_JUDGE_BUILD when a part cannot be had, and I_ENGINE, I_DISK
    as its parts do.
    """
    if profile.engine not in _ENGINES:
        raise UsageError(
            f"the judge {profile.id!r} cannot be built here: its engine is {profile.engine!r}",
            code="E_CONFIG",
            hint=f"this version builds images for {', '.join(_ENGINES)}; the others are in docs/explanation/judge.md",
        )
    folder = judge_folder(profile.id)
    folder.mkdir(parents=True, exist_ok=True)
    if profile.id not in SOURCES:
        check_weights(folder / WEIGHTS, profile)
    with _one_at_a_time(folder.parent):
        engine = connect()
        if is_given(folder):
            return _ready(challenge, profile, folder, _given(engine, profile, folder))
        if profile.engine not in _IN_OUR_IMAGE:
            raise UsageError(
                f"our own image has no {profile.engine}",
                code="E_CONFIG",
                hint=f"build one, then `humdial judge build {profile.id} --weights FOLDER --image NAME`",
            )
        inputs = _inputs(engine)
        lock = _usable_lock(folder)
        if lock is None or lock.inputs != digest(inputs) or not (folder / WEIGHTS).is_dir():
            lock = _build(engine, profile, folder, inputs, progress)
        elif engine.image_id(lock.image_id) is None:
            progress("loading the judge image into the engine (1 GB, up to half a minute)")
            _load(engine, folder / ARCHIVE, lock.image_id)
        ensure_bytecode(engine, lock.image_id)
        if profile.id not in SOURCES and _stamps(folder / WEIGHTS) != _kept_stamps(folder):
            if folder_digests(folder / WEIGHTS) != lock.weights:
                raise weights_error(f"the weights of {profile.id} are not those of its lock")
            _keep_stamps(folder)
    return _ready(challenge, profile, folder, lock)


def _given(engine: Engine, profile: JudgeProfile, folder: Path) -> JudgeLock:
    """The lock of a judge on an image of the user's. Raises as ensure_judge, and E_JUDGE_MISSING without the image."""
    lock = stored_lock(folder)
    if lock is None or engine.image_id(lock.image_id) is None:
        raise missing(profile.id)
    if _stamps(folder / WEIGHTS) != _kept_stamps(folder):
        if folder_digests(folder / WEIGHTS) != lock.weights:
            raise weights_error(f"the weights of {profile.id} are not those of its lock")
        _keep_stamps(folder)
    return lock


def use_weights(profile: JudgeProfile, weights: Path) -> None:
    """Take ``weights``, a checkpoint folder of the user's, for ``profile``; the lock is made anew.

    Raises MachineError (E_WEIGHTS) and UsageError (E_CONFIG) for a profile that brings its own.
    """
    if profile.id in SOURCES:
        raise UsageError(f"the judge {profile.id} brings its weights", code="E_CONFIG", hint="leave --weights out")
    check_weights(weights, profile)
    folder = judge_folder(profile.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LOCK).unlink(missing_ok=True)
    link = folder / WEIGHTS
    if link.is_symlink() or link.is_file():
        link.unlink()
    elif link.is_dir():
        raise weights_error(f"there is a folder of weights in {folder} already; move it away")
    link.symlink_to(weights.resolve(), target_is_directory=True)


def verify_judge(profile: str, spec: JudgeProfile | None = None, reference: Path | None = None) -> list[str]:
    """Recompute every digest of a built judge against its lock; returns what differs, nothing when all is well.

    ``spec``: the challenge's profile, whose settings must be those of the lock. ``reference``: the lock file that the
    organisers published. Raises UsageError (E_JUDGE_MISSING) when the profile was never built.
    """
    folder = judge_folder(profile)
    lock = stored_lock(folder)
    if lock is None:
        raise missing(profile)
    problems = _image_problems(folder, lock)
    present = folder_digests(folder / WEIGHTS)
    for name in sorted(present.keys() | lock.weights.keys()):
        if present.get(name) != lock.weights.get(name):
            problems.append(
                f"the weights' {name} is {present.get(name, 'missing')}, the lock says {lock.weights.get(name, 'none')}"
            )
    problems += [*bytecode_problems(lock.image_id), *lock_differences(lock, spec)]
    return problems + (reference_differences(lock, reference) if reference else [])


def _image_problems(folder: Path, lock: JudgeLock) -> list[str]:
    if lock.made != "archive":
        return given_problems(lock)
    try:
        found = verify_archive(folder / ARCHIVE)
        return [] if found == lock.image_id else [f"the image archive is {found}, the lock says {lock.image_id}"]
    except UsageError as error:
        return [str(error)]


def show_judge(challenge: Challenge, profile: JudgeProfile) -> JudgeImage:
    """A built judge as it is described, without an engine. Raises UsageError (E_JUDGE_MISSING)."""
    lock = stored_lock(judge_folder(profile.id))
    if lock is None:
        raise missing(profile.id)
    return _ready(challenge, profile, judge_folder(profile.id), lock)


def _ready(challenge: Challenge, profile: JudgeProfile, folder: Path, lock: JudgeLock) -> JudgeImage:
    inputs: dict[str, Any] = {
        "profile": profile.id,
        "engine": profile.engine,
        "model": profile.model,
        "settings": profile.settings,
        "image_id": lock.installed or lock.image_id,
        "weights": lock.weights,
        "prompts": prompt_digests(),
        "versions": lock.versions,
        "dtype": profile.settings.get("dtype", "float32"),
    }
    weights = (folder / WEIGHTS).resolve()
    return JudgeImage(profile.id, lock.image_id, weights, lock, digest(inputs), inputs)


def _build(
    engine: Engine, profile: JudgeProfile, folder: Path, inputs: dict[str, str], progress: Progress
) -> JudgeLock:
    """Image first (loaded when it is done), then the weights, converted inside it, then the lock."""
    (folder / LOCK).unlink(missing_ok=True)
    image_id = _image(engine, folder, inputs, progress)
    progress("compiling the image's Python sources inside it, with no network")
    ensure_bytecode(engine, image_id)
    if profile.id in SOURCES:
        progress("making the judge's weights inside the image, with no network")
        weights = make_weights(engine, image_id, profile.id, folder / WEIGHTS, progress)
    else:
        progress("reading the judge's weights for their digests")
        weights = folder_digests(folder / WEIGHTS)
        _keep_stamps(folder)
    lock = JudgeLock(
        schema_version=1,
        profile=profile.id,
        inputs=digest(inputs),
        image_id=image_id,
        base=inputs["base"],
        weights=weights,
        engine=profile.engine,
        revision=str(profile.settings.get("revision", "")),
        wheels=wheel_digests(),
        versions=engine_versions(),
        prompts=prompt_digests(),
        settings=profile.settings,
    )
    write_atomic(folder / LOCK, pretty_json(to_plain(lock)))
    progress(f"the judge {profile.id} is ready: {image_id}")
    return lock


def _image(engine: Engine, folder: Path, inputs: dict[str, str], progress: Progress) -> str:
    """The id of the loaded image. Profiles share it: another's archive of the same inputs is taken over."""
    for path in sorted(folder.parent.glob(f"*/{LOCK}")):
        other = _usable_lock(path.parent)
        if other is not None and other.inputs == digest(inputs) and (path.parent / ARCHIVE).is_file():
            (folder / ARCHIVE).unlink(missing_ok=True)
            (folder / ARCHIVE).hardlink_to(path.parent / ARCHIVE)
            if engine.image_id(other.image_id) is None:
                _load(engine, folder / ARCHIVE, other.image_id)
            return other.image_id
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
        labels={"humdial.role": "judge"},
    )
    layers = [site_layer(site, SITE), application_layer(APPLICATION)]
    # The old archive may be another profile's too, by a hard link: a new file, never the old one written over.
    (folder / ARCHIVE).unlink(missing_ok=True)
    image_id = write_image(base_tar(), layers, config, folder / ARCHIVE)
    progress("loading the judge image into the engine (up to half a minute)")
    _load(engine, folder / ARCHIVE, image_id)
    return image_id


def _usable_lock(folder: Path) -> JudgeLock | None:
    """The stored lock; one that cannot be read is as good as none: the judge is built again."""
    try:
        return stored_lock(folder)
    except UsageError:
        return None


def _stamps(weights: Path) -> list[list[Any]]:
    """Name, size and time of every weight file: while they stay, the digests need not be computed again."""
    return [
        [path.relative_to(weights).as_posix(), path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(weights.rglob("*"))
        if path.is_file()
    ]


def _kept_stamps(folder: Path) -> list[list[Any]]:
    path = folder / _STAMPS
    found: list[list[Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return found


def _keep_stamps(folder: Path) -> None:
    write_atomic(folder / _STAMPS, pretty_json(_stamps(folder / WEIGHTS)))


def _inputs(engine: Engine) -> dict[str, str]:
    """Digests of all that goes into the image; quick: the base's digest is kept beside it."""
    packages = hashlib.sha256()
    for name in LOCKS:
        packages.update((data_dir("requirements") / name).read_bytes())
    application = application_layer(APPLICATION)
    contents = {name: hashlib.sha256(_bytes(entry.source)).hexdigest() for name, entry in application.entries.items()}
    return {
        "recipe": "3",
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
    found = file_digest(path)
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


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two commands that want the same judge: the second waits for the first."""
    import fcntl

    with (folder / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _bytes(source: bytes | Path | str) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source.encode() if isinstance(source, str) else source
