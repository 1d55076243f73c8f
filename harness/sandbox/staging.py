"""The /input tree of one run: audio and turn numbers, nothing that tells what was said, felt, or which item it is.

Dialogue ids are replaced by opaque ones and the order is shuffled, both by the run's seed. The map back stays here.
Audio is decoded and written anew, so that no metadata travels with it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from harness.challenge.spec import Challenge, Layout
from harness.documents.codec import canonical_json
from harness.documents.codes import finding
from harness.documents.reference import ReferenceDialogue
from harness.errors import MachineError, UsageError
from harness.sandbox.leaks import require_no_leak
from harness.sandbox.safe_open import open_beneath, open_root

if TYPE_CHECKING:
    from soundfile import SoundFile

# The layout of inputs and of what a team image writes.
STAGED_LAYOUT = "seed"
EPOCH = 1_764_000_000  # every staged file carries the same date
_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class StagedDialogue:
    """One dialogue as the container sees it (``opaque_id``) and as we know it."""

    opaque_id: str
    dialogue_id: str
    turn_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """What was staged under ``root``. ``dialogues`` maps (language, task) to its dialogues in staged order;
    ``tasks`` are the layout's names for them, ``languages`` the challenge's, both in the order of the spec."""

    root: Path
    layout: Layout
    dialogues: Mapping[tuple[str, str], tuple[StagedDialogue, ...]]
    tasks: tuple[str, ...]
    languages: tuple[str, ...]


def layout_of(challenge: Challenge) -> Layout:
    """The layout that inputs and a container's outputs have."""
    return challenge.layouts.get(STAGED_LAYOUT) or next(iter(challenge.layouts.values()))


def layout_words(layout: Layout, groups: Collection[tuple[str, str]]) -> frozenset[str]:
    """Every folder and file name that ``layout`` itself gives to these (language, task) groups."""
    paths = [f"{layout.jsonl_path(language, task)}/{layout.names[task]}" for language, task in groups]
    return frozenset(part for path in paths for part in path.split("/"))


def stage_inputs(
    dialogues: Sequence[ReferenceDialogue], source: Path, target: Path, challenge: Challenge, seed: str
) -> Staged:
    """Write the /input tree for ``dialogues`` to the new folder ``target``; audio is read below ``source``.

    The same seed gives the same bytes. Raises UsageError (E_STAGE_AUDIO) when an input's audio cannot be used,
    MachineError (E_LEAK_INPUT) when what was written would show more than it may, MachineError (I_DISK) when full.
    """
    layout = layout_of(challenge)
    groups: dict[tuple[str, str], list[ReferenceDialogue]] = {}
    for dialogue in dialogues:
        groups.setdefault((dialogue.language, dialogue.task), []).append(dialogue)
    staged: dict[tuple[str, str], tuple[StagedDialogue, ...]] = {}
    try:
        root = open_root(source)
    except OSError as error:
        refuse_audio(str(source), error.strerror or "the folder cannot be opened", error)
    try:
        for (language, task), members in sorted(groups.items()):
            staged[language, task] = _stage_group(members, root, target, layout, _Names(seed, language, task))
    except OSError as error:
        raise MachineError(
            f"the inputs could not be staged: {error.strerror}", code="I_DISK", hint="free space or pass another --out"
        ) from error
    finally:
        os.close(root)
    same_dates(target)
    require_no_leak(target, dialogues, layout_words(layout, staged))
    present = {task for _, task in groups}
    return Staged(
        root=target,
        layout=layout,
        dialogues=staged,
        tasks=tuple(layout.names[name] for name in challenge.tasks if name in present),
        languages=tuple(name for name in challenge.languages if name in {language for language, _ in groups}),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """Opaque ids and positions of one file's dialogues, keyed by the seed."""

    seed: str
    language: str
    task: str

    def opaque(self, dialogue_id: str) -> str:
        return self._keyed("id", dialogue_id)[:16]

    def position(self, dialogue_id: str) -> str:
        return self._keyed("order", dialogue_id)

    def _keyed(self, purpose: str, dialogue_id: str) -> str:
        message = "\0".join((purpose, self.language, self.task, dialogue_id)).encode()
        return hmac.new(self.seed.encode(), message, hashlib.sha256).hexdigest()


def _stage_group(
    members: list[ReferenceDialogue], root: int, target: Path, layout: Layout, names: _Names
) -> tuple[StagedDialogue, ...]:
    jsonl = PurePosixPath(layout.jsonl_path(names.language, names.task))
    audio_folder = layout.names[names.task]
    (target / jsonl.parent / audio_folder).mkdir(parents=True, exist_ok=True)
    lines, staged = [], []
    for dialogue in sorted(members, key=lambda each: names.position(each.dialogue_id)):
        opaque = names.opaque(dialogue.dialogue_id)
        turns = []
        for turn in dialogue.turns:
            audio = f"{audio_folder}/{opaque}_{turn.turn_id}.wav"
            if turn.audio_file is None:
                refuse_audio(f"{dialogue.dialogue_id} turn {turn.turn_id}", "the line names none")
            stage_audio(root, str(jsonl.parent / turn.audio_file), target / jsonl.parent / audio)
            turns.append({"turn_id": turn.turn_id, "split_audio_file": audio})
        lines.append(canonical_json({"dialogue_id": opaque, "turns": turns}) + b"\n")
        staged.append(StagedDialogue(opaque, dialogue.dialogue_id, tuple(turn.turn_id for turn in dialogue.turns)))
    if len({each.opaque_id for each in staged}) != len(staged):
        raise UsageError(
            f"a dialogue id stands twice in {jsonl}", code="E_GOLD", hint="`humdial validate --layout data` finds it"
        )
    (target / jsonl).write_bytes(b"".join(lines))
    return tuple(staged)


def stage_audio(root: int, relative: str, target: Path) -> None:
    """Decode one input and write it as PCM16 under a plain 44-byte header."""
    import soundfile

    try:
        descriptor = open_beneath(root, relative)
    except OSError as error:
        refuse_audio(relative, error.strerror or "it cannot be opened")
    try:
        with os.fdopen(descriptor, "rb") as stream, soundfile.SoundFile(stream) as source:
            data = b"".join(_pcm16(source))
            channels, rate_hz = source.channels, source.samplerate
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        refuse_audio(relative, "it is not readable audio", error)
    if not data:
        refuse_audio(relative, "it holds no samples")
    target.write_bytes(wav_header(len(data), channels, rate_hz) + data)


def _pcm16(source: SoundFile) -> Iterator[bytes]:
    """The samples as little-endian PCM16. Those stored as floating point (full scale 1.0) are scaled here, because a
    decoder asked for integers would cut them to 0."""
    import numpy as np

    if source.subtype not in ("FLOAT", "DOUBLE"):
        for block in source.blocks(_FRAMES, dtype="int16", always_2d=True):
            yield block.astype("<i2").tobytes()
        return
    for block in source.blocks(_FRAMES, dtype="float64", always_2d=True):
        if not np.isfinite(block).all():
            raise ValueError("a sample is not a number")
        yield np.clip(np.rint(block * 32768), -32768, 32767).astype("<i2").tobytes()


def wav_header(data_bytes: int, channels: int, rate_hz: int) -> bytes:
    """The shortest header of a PCM16 WAV: 44 bytes."""
    frame = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate_hz,
        rate_hz * frame,
        frame,
        16,
        b"data",
        data_bytes,
    )


def refuse_audio(path: str, why: str, cause: BaseException | None = None) -> NoReturn:
    refusal = finding("E_STAGE_AUDIO", path=ascii(path), why=why)
    raise UsageError(refusal.message, code=refusal.code, hint=refusal.hint) from cause


def same_dates(target: Path) -> None:
    """Equal dates and modes everywhere: neither may carry information."""
    for folder, _, files in os.walk(target, topdown=False):
        for name in files:
            path = Path(folder, name)
            path.chmod(0o444)
            os.utime(path, (EPOCH, EPOCH))
        Path(folder).chmod(0o755)
        os.utime(folder, (EPOCH, EPOCH))
