"""Where other readers of WAVs disagree about a file, ours refuses it, or hears what all of them hear of its copy.

The numbers are samples that each reader finds in a file of 16,000, as the locked versions do; the point is that no two
columns are alike in every row, so that what one program checks is not what another one plays.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import made
import numpy as np
import pytest
import soundfile
from attack_audio import ours, readings
from hostile import edited
from made import chunk, fmt, riff

_DATA = made.wav(1.0)[44:]
_GOOD = riff(fmt(), _DATA)
_EXTENSIBLE = fmt(0xFFFE) + struct.pack("<2HIH", 22, 16, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True)
class Row:
    """A file, the samples of each reader (0: it refuses) and our code ("": accepted)."""

    data: bytes
    wave: int
    scipy: int
    soundfile: int
    code: str


def _written(kind: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, np.frombuffer(_DATA, "<i2"), 16_000, format=kind)
    return out.getvalue()


def _rf64() -> bytes:
    """A 64-bit file whose sizes are beyond any disk; two readers take what is there."""
    sizes = chunk(b"ds64", struct.pack("<QQQI", 1 << 62, 1 << 62, 1 << 61, 0))
    body = b"WAVE" + sizes + chunk(b"fmt ", fmt()) + b"data" + b"\xff" * 4 + _DATA
    return b"RF64" + b"\xff" * 4 + body


TABLE = {
    "two data chunks": Row(riff(fmt(), _DATA[:3200], chunk(b"data", _DATA)), 1600, 16_000, 0, "E_WAV_CHUNK"),
    "two fmt chunks": Row(riff(fmt(), _DATA, before=chunk(b"fmt ", fmt(channels=2))), 8000, 8000, 0, "E_WAV_CHUNK"),
    "block align 4": Row(riff(edited(fmt(), 12, struct.pack("<H", 4)), _DATA), 16_000, 0, 16_000, "E_WAV_FMT"),
    "RIFF size 0": Row(edited(_GOOD, 4, bytes(4)), 0, 0, 16_000, "E_WAV_SIZE"),
    "data size + 1 GiB": Row(
        edited(_GOOD, 40, struct.pack("<I", len(_DATA) + (1 << 30))), 16_000, 16_000, 16_000, "E_WAV_SIZE"
    ),
    "extensible": Row(riff(_EXTENSIBLE, _DATA), 0, 16_000, 16_000, ""),
    "64-bit sizes": Row(_rf64(), 0, 16_000, 16_000, "E_WAV_FORMAT"),
    "byte rate": Row(riff(edited(fmt(), 8, struct.pack("<I", 16_000)), _DATA), 16_000, 0, 16_000, "E_WAV_FMT"),
    "ID3 before": Row(b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + _GOOD, 0, 0, 15_990, "E_WAV_FORMAT"),
    "FLAC": Row(_written("FLAC"), 0, 0, 16_000, "E_WAV_FORMAT"),
    "100,000 chunks": Row(riff(fmt(), _DATA, before=chunk(b"JUNK", b"") * 100_000), 16_000, 16_000, 0, "E_WAV_CHUNK"),
    "no channels": Row(riff(edited(fmt(), 2, bytes(2)), _DATA), 0, 0, 0, "E_WAV_CHANNELS"),
    "no bits": Row(riff(edited(fmt(), 14, bytes(2)), _DATA), 0, 16_000, 0, "E_WAV_BITS"),
}


@pytest.mark.parametrize("name", TABLE)
def test_where_readers_disagree_ours_refuses_or_all_hear_its_copy(name: str) -> None:
    row = TABLE[name]
    found = {reader: len(samples) // channels for reader, (_, channels, samples) in readings(row.data).items()}
    assert found == {key: value for key in ("wave", "scipy", "soundfile") if (value := getattr(row, key))}
    out, codes = ours(row.data)
    assert codes == ({row.code} if row.code else set())
    if out is not None:
        assert out == _GOOD


def test_no_two_readers_agree_on_all_of_it() -> None:
    columns = [[getattr(row, reader) for row in TABLE.values()] for reader in ("wave", "scipy", "soundfile")]
    assert columns[0] != columns[1] != columns[2] != columns[0]
