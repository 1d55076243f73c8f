"""The /input tree of a full-duplex run: test/ and clean/ with WAVs under opaque, shuffled names, and nothing else.

The first names of each folder belong to copies that only warm the program up: what it answers to them is not taken.
They look like any other input.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.challenge.duplex import DuplexLayout, DuplexRules
from harness.challenge.spec import Challenge
from harness.errors import MachineError
from harness.sandbox.leaks import require_no_leaking_pair
from harness.sandbox.safe_open import open_root
from harness.sandbox.staging import STAGED_LAYOUT, refuse_audio, same_dates, stage_audio

TEST, CLEAN = "test", "clean"
_CLEAN_NAME = "clean_"  # how the clean inputs of a dev folder are named, beside the others


@dataclass(frozen=True, slots=True)
class PairFiles:
    """The inputs of a full-duplex track: their paths below the inputs' folder, without .wav."""

    paths: tuple[str, ...]
    rules: DuplexRules


@dataclass(frozen=True, slots=True)
class StagedPairs:
    """What was staged under ``root``. ``outputs`` maps where the container writes an answer to where it lies in the
    submission; ``warm_up`` are the places of answers that nobody wants."""

    root: Path
    outputs: Mapping[str, str]
    warm_up: frozenset[str]
    tasks: tuple[str, ...]
    languages: tuple[str, ...]


def stage_pairs(pairs: PairFiles, source: Path, target: Path, challenge: Challenge, seed: str) -> StagedPairs:
    """Write the /input tree to the new folder ``target``; audio is read below ``source``. The same seed gives the same
    bytes.

    Raises UsageError (E_STAGE_AUDIO) when an input's audio cannot be used, MachineError (E_LEAK_INPUT) when what was
    written would show more than it may, MachineError (I_DISK) when full.
    """
    layout = pairs.rules.layouts.get(STAGED_LAYOUT) or next(iter(pairs.rules.layouts.values()))
    folders = {name: [path for path in pairs.paths if _folder_of(path) == name] for name in (TEST, CLEAN)}
    outputs: dict[str, str] = {}
    warm_up: list[str] = []
    try:
        root = open_root(source)
    except OSError as error:
        refuse_audio(str(source), error.strerror or "the folder cannot be opened", error)
    try:
        for folder, members in folders.items():
            if members:
                (target / folder).mkdir(parents=True)
                warming = _stage_folder(
                    folder, members, root, target, pairs.rules.latency.warm_up, seed, layout, outputs
                )
                warm_up += warming
    except OSError as error:
        raise MachineError(
            f"the inputs could not be staged: {error.strerror}", code="I_DISK", hint="free space or pass another --out"
        ) from error
    finally:
        os.close(root)
    same_dates(target)
    require_no_leaking_pair(target)
    present = tuple(name for name, members in folders.items() if members)
    return StagedPairs(target, outputs, frozenset(warm_up), present, tuple(challenge.languages))


def _stage_folder(
    folder: str,
    members: Sequence[str],
    root: int,
    target: Path,
    warm_up: int,
    seed: str,
    layout: DuplexLayout,
    outputs: dict[str, str],
) -> list[str]:
    """One folder in the order of its names, which is the order in which its files are made."""
    order = sorted(members, key=lambda path: _keyed(seed, folder, "order", path))
    warming = [order[number % len(order)] for number in range(warm_up)]
    names = sorted(_keyed(seed, folder, "name", str(number))[:16] for number in range(len(order) + warm_up))
    unwanted = []
    for number, (name, path) in enumerate(zip(names, [*warming, *order], strict=True)):
        stage_audio(root, f"{path}.wav", target / folder / f"{name}.wav")
        answer = layout.output_path(f"{folder}/{name}")
        if number < warm_up:
            unwanted.append(answer)
        else:
            outputs[answer] = layout.output_path(path)
    return unwanted


def _folder_of(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return CLEAN if folder == CLEAN or name.startswith(_CLEAN_NAME) else TEST


def _keyed(seed: str, *words: str) -> str:
    return hmac.new(seed.encode(), "\0".join(words).encode(), hashlib.sha256).hexdigest()
