"""Stages of attacks that are audio: what other readers of WAVs make of the same bytes, and whether speech is in them.

The readers that we are compared with are Python's `wave`, scipy and soundfile (libsndfile). They disagree about broken
files; on what we write of an accepted one they must agree to the last sample.
"""

from __future__ import annotations

import io
import warnings
import wave
from collections import Counter

import made
import numpy as np
import pytest
import soundfile
from attack_case import Box, Case, Seen
from attack_stages import STAGES, Outcome
from numpy.typing import NDArray
from scipy.io import wavfile

from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.documents.submission import ReplyAudio, ReplyDialogue, ReplyTurn, Submission
from harness.documents.verdict import Verdict
from harness.hearing.voice_activity import VoiceActivity
from harness.scoring import plan_items, score_items
from harness.submission import Recording, Recordings, canonical_wavs
from harness.submission.canonical_audio import canonical_bytes
from harness.submission.readers.pcm import to_int16
from harness.submission.readers.rewriting import read_wav

RATE_HZ = 16_000
_CHALLENGE = made.CHALLENGE


def readings(data: bytes) -> dict[str, tuple[int, int, NDArray[np.int16]]]:
    """Rate, channels and 16-bit samples by each reader that takes ``data``; the others are left out."""
    found = {}
    for name, read in {"wave": _by_wave, "scipy": _by_scipy, "soundfile": _by_soundfile}.items():
        try:
            found[name] = read(data)
        except Exception:  # noqa: BLE001 - what they raise on broken files is theirs: UnboundLocalError, MemoryError …
            continue
    return found


def _by_wave(data: bytes) -> tuple[int, int, NDArray[np.int16]]:
    with wave.open(io.BytesIO(data)) as reader:
        raw = reader.readframes(reader.getnframes())
        if reader.getsampwidth() != 2:
            raise ValueError("no 16-bit samples")
        return reader.getframerate(), reader.getnchannels(), np.frombuffer(raw, "<i2")


def _by_scipy(data: bytes) -> tuple[int, int, NDArray[np.int16]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rate, samples = wavfile.read(io.BytesIO(data))
    if samples.dtype != np.int16:
        raise ValueError("no 16-bit samples")
    return int(rate), 1 if samples.ndim == 1 else samples.shape[1], samples.reshape(-1)


def _by_soundfile(data: bytes) -> tuple[int, int, NDArray[np.int16]]:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    return rate, samples.shape[1], samples.reshape(-1)


def ours(data: bytes) -> tuple[bytes | None, frozenset[str]]:
    """What is judged of a WAV (None: it is refused), and every code about it. What is judged must be the same to
    every reader, and stay the same when it is handed in itself."""
    format_, problems = read_wav(data, _CHALLENGE.audio, _CHALLENGE.read_limits)
    codes = frozenset(problem.code for problem in problems)
    assert all("_WAV_" in code for code in codes)
    assert (format_ is None) == any(code.startswith("E_") for code in codes)
    if format_ is None:
        return None, codes
    out = canonical_bytes(to_int16(memoryview(data), format_, RATE_HZ))
    agreed(out)
    return out, codes


def agreed(out: bytes) -> NDArray[np.int16]:
    """The samples of a canonical file: 44 bytes of header, mono, 16 kHz, equal to all readers."""
    found = readings(out)
    assert found.keys() == {"wave", "scipy", "soundfile"}
    samples = np.frombuffer(out[44:], "<i2")
    for rate, channels, theirs in found.values():
        assert (rate, channels) == (RATE_HZ, 1)
        assert np.array_equal(theirs, samples)
    return samples


def mutations(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """make.py's ``files()``: any number of small files, each with the name of its class. Of every class, all codes."""
    from random import Random

    seen: dict[str, Seen] = {}
    tried: Counter[str] = Counter()
    for name, data in case.module().files(Random(case.number)):
        out, codes = ours(data)
        outcome = "REJECT" if out is None else "WARN" if codes else "ACCEPT"
        place = name if name in case.expect else f"{name}-{outcome.lower()}"
        before = seen.get(place, Seen(outcome, frozenset(), {}))
        assert before.outcome == outcome, (place, codes)
        tried[place] += 1
        seen[place] = Seen(outcome, before.codes | codes, {"count": tried[place]})
    return seen, []


def canonical(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """Each subject through the whole path, twice, and what came out once more: the same bytes, of a known digest."""
    names = sorted(path.name for path in box.subjects.iterdir())
    digests = []
    for number, source in enumerate((box.subjects, box.subjects, box.out / "0")):
        (target := box.out / str(number)).mkdir()
        jobs = [(source / name, target / name, None) for name in names]
        digests.append(canonical_wavs(jobs, _CHALLENGE))
    assert digests[0] == digests[1] == digests[2]
    for name in names:
        agreed((box.out / "0" / name).read_bytes())
    return {
        name: Seen("ACCEPT", frozenset(), {"sha256": digest}) for name, digest in zip(names, digests[0], strict=True)
    }, []


def heard(case: Case, box: Box, request: pytest.FixtureRequest) -> Outcome:
    """What becomes of a reply with this audio when the voice activity detection has listened to it: the state of the
    audio dimensions and how far the text ones are touched."""
    listener = VoiceActivity()
    found = {}
    paths = sorted(box.subjects.iterdir())
    with Recordings(_CHALLENGE) as recordings:
        for path, samples in zip(paths, recordings.each(map(Recording, paths)), strict=True):
            segments = listener.segments(samples)
            found[path.name] = _scored(sum(end - start for start, end in segments) / RATE_HZ)
    return found, []


def _scored(speech_s: float) -> Seen:
    """A task-4 reply that the judge marks 5 throughout, with so much speech in its audio."""
    policy, profile = _CHALLENGE.policies["strict"], _CHALLENGE.judges["qwen3-omni"]
    turns = tuple(ReferenceTurn(number, "My garden was destroyed.", "sad", None) for number in (1, 2, 3))
    reference = ReferenceDialogue("task4", "en", "d1", turns)
    sound = ReplyAudio("x.wav", "ok", "ab" * 32)
    replies = tuple(ReplyTurn(turn.turn_id, "How sad, after all of your work.", sound) for turn in turns)
    submission = Submission("alpha", "Alpha", "one", "seed", "track1", (ReplyDialogue("task4", "en", "d1", replies),))
    plan = plan_items([reference], submission, _CHALLENGE, policy, "seed", profile)
    (planned,) = plan.dialogues
    marks = dict.fromkeys(planned.wanted, 5)
    verdict = Verdict("k", 0, marks, {}, "", 1, "scored", {"speech_s": speech_s})
    spec = {dimension.id: dimension.modality for dimension in _CHALLENGE.tasks["task4"].dimensions}
    items = score_items(plan, {planned.key: verdict})
    codes = frozenset(flag for item in items for flag in item.flags)
    scores = {
        modality: {item.score for item in items if spec[item.dimension] == modality} for modality in spec.values()
    }
    return Seen(
        "FLOOR" if codes else "ACCEPT",
        codes,
        {modality: sorted(each, key=str) for modality, each in scores.items()},
    )


STAGES |= {"mutations": mutations, "canonical": canonical, "heard": heard}
