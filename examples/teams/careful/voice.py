"""Speaks a reply by joining recorded sentences. The recordings are IMA ADPCM WAV files, four bits a sample."""

from __future__ import annotations

import hashlib
import struct
import sys
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

RATE_HZ = 16000
PAUSE_S = 0.15

STEPS = (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
    97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
    724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
    4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
    18500, 20350, 22385, 24623, 27086, 29794, 32767,
)  # fmt: skip
CHANGES = [
    [(step >> 3) + (step if code & 4 else 0) + (step >> 1 if code & 2 else 0) + (step >> 2 if code & 1 else 0)
     for code in range(8)]
    for step in STEPS
]  # fmt: skip
"""What a three-bit difference adds at a step index."""
INDEX_STEPS = (-1, -1, -1, -1, 2, 4, 6, 8)


def clip_name(sentence: str) -> str:
    """The file that holds a recorded sentence."""
    return f"{hashlib.sha256(sentence.encode()).hexdigest()[:16]}.wav"


def speak(sentences: Sequence[str], clips: Path, target: Path) -> None:
    """Join the recordings of ``sentences`` into a mono PCM16 WAV. Raises OSError when a sentence was not recorded."""
    joined = array("h")
    for sentence in sentences:
        joined.extend(decode((clips / clip_name(sentence)).read_bytes()))
        joined.extend([0] * int(RATE_HZ * PAUSE_S))
    if sys.byteorder == "big":
        joined.byteswap()
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(joined.tobytes())


def decode(data: bytes) -> array[int]:
    """The samples of a mono IMA ADPCM WAV. Raises ValueError for another format."""
    chunks = dict(_chunks(data))
    codec, channels, _, _, block_bytes, _ = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if codec != 0x11 or channels != 1:
        raise ValueError("not mono IMA ADPCM")
    (frames,) = struct.unpack_from("<I", chunks[b"fact"])
    samples = array("h")
    body = chunks[b"data"]
    for start in range(0, len(body), block_bytes):
        _decode_block(body[start : start + block_bytes], samples)
    return samples[:frames]


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _decode_block(block: bytes, samples: array[int]) -> None:
    """A block opens with a sample and a step index, then every byte holds two differences, the low half first."""
    value, index = struct.unpack_from("<hB", block)
    samples.append(value)
    for byte in block[4:]:
        for code in (byte & 15, byte >> 4):
            change = CHANGES[index][code & 7]
            value = max(-32768, value - change) if code & 8 else min(32767, value + change)
            index = min(88, max(0, index + INDEX_STEPS[code & 7]))
            samples.append(value)
