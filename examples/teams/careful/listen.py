"""Hears which known sentence a recording is: the nearest neighbour among sentences heard in training.

It only serves for a synthetic sample, whose users say sentences out of a small bank. Python's standard library only.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import abs as magnitude
from operator import lt, mul, sub
from pathlib import Path
from typing import Any

FRAME_S = 0.02
KEEP_EVERY = 2
"""Half the samples tell the sentences apart as well, in half the time."""
SEGMENTS = 48
LEVELS = 3
"""Values a frame: energy, energy of the high part, rate of sign changes."""
DURATION_WEIGHT = 150.0
SCALE = 16
"""Features are kept as whole numbers, this many to one unit."""

Sentence = Mapping[str, Any]
"""A sentence heard in training: its `features`, and what was annotated; `situation` is None for a closing question."""


def read_pcm16(path: Path) -> tuple[array[int], int]:
    """Every KEEP_EVERY-th sample of a mono 16-bit WAV and their rate in Hz.

    Raises wave.Error or EOFError for anything else.
    """
    with wave.open(str(path), "rb") as source:
        if source.getnchannels() != 1 or source.getsampwidth() != 2:
            raise wave.Error("not mono 16-bit PCM")
        samples = array("h")
        samples.frombytes(source.readframes(source.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        return samples[::KEEP_EVERY], source.getframerate() // KEEP_EVERY


def features(samples: array[int], rate_hz: int) -> list[int]:
    """[duration in frames, SEGMENTS · LEVELS values]: how a sentence sounds, whatever its speed and loudness."""
    width = int(rate_hz * FRAME_S)
    frames = [_frame(samples[start : start + width]) for start in range(0, len(samples) - width, width)]
    frames = _trim(frames)
    mean = [sum(column) / len(frames) for column in zip(*frames, strict=True)]
    values = [len(frames)]
    for segment in range(SEGMENTS):
        first = segment * len(frames) // SEGMENTS
        last = max(first + 1, (segment + 1) * len(frames) // SEGMENTS)
        part = frames[first:last]
        for level in range(LEVELS):
            average = sum(frame[level] for frame in part) / len(part)
            values.append(round((average - mean[level]) * SCALE))
    return values


def _frame(samples: array[int]) -> tuple[float, float, float]:
    steps = list(map(sub, samples[1:], samples))
    energy = sum(map(mul, samples, samples)) / len(samples)
    high = sum(map(mul, steps, steps)) / len(samples)
    crossings = sum(map(lt, map(mul, samples[1:], samples), repeat(0)))
    return (math.log(energy + 100.0), math.log(high + 100.0), 8.0 * math.sqrt(crossings / len(samples)))


def _trim(frames: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Without the silence before and after."""
    floor = max(frame[0] for frame in frames) - 7.0
    loud = [number for number, frame in enumerate(frames) if frame[0] > floor]
    return frames[loud[0] : loud[-1] + 1]


def distance(one: Sequence[int], other: Sequence[int]) -> float:
    """How different two sentences sound: the sum of differences, and the ratio of their lengths."""
    shape = sum(map(magnitude, map(sub, one[1:], other[1:]))) / SCALE
    return shape + DURATION_WEIGHT * abs(math.log(one[0] / other[0]))


def recognise(heard: Sequence[int], known: Iterable[Sentence]) -> Sentence:
    """The known sentence that sounds nearest."""
    return min(known, key=lambda sentence: distance(heard, sentence["features"]))


def recognise_dialogue(heard: Sequence[Sequence[int]], known: Sequence[Sentence], asks: bool) -> list[Sentence]:
    """The sentences of a dialogue: all from the one story that sounds nearest on the whole.

    ``asks`` says that the last turn is a question about the dialogue, as tasks 2 and 3 have it.
    """
    closing = [recognise(heard[-1], (one for one in known if one["situation"] is None))] if asks else []
    told = heard[: len(heard) - len(closing)]
    stories: dict[str, list[Sentence]] = {}
    for sentence in known:
        if sentence["situation"] is not None:
            stories.setdefault(sentence["situation"], []).append(sentence)
    candidates = [[recognise(turn, story) for turn in told] for story in stories.values()]
    return min(candidates, key=lambda found: _misfit(told, found)) + closing


def _misfit(heard: Sequence[Sequence[int]], found: Sequence[Sentence]) -> float:
    return sum(distance(turn, sentence["features"]) for turn, sentence in zip(heard, found, strict=True))
