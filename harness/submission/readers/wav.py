"""A strict RIFF/WAVE reader: one `fmt `, then one `data`, sizes that match the file to the byte.

Programs disagree on files with two data chunks, lying sizes or bytes after the end; here those are refused, so that
what was checked is what is judged.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from harness.challenge.reading import AudioRules, ReadLimits
from harness.submission.readers.file_view import FileView
from harness.submission.readers.refusal import Refusal, quoted

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_STREAMING = (0, 0xFFFFFFFF, 0x7FFFFFFF)
_FMT = struct.Struct("<2H2I2H")
_FOURCC = re.compile(rb"[A-Za-z0-9 _]{4}")
_STRUCTURAL = frozenset({b"fmt ", b"data", b"fact"})
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class WavFormat:
    """An accepted header. ``data_at`` is the byte where samples start; ``metadata`` names the chunks left aside."""

    rate_hz: int
    channels: int
    bits: int
    is_float: bool
    data_at: int
    data_bytes: int
    metadata: tuple[str, ...]

    @property
    def frames(self) -> int:
        return self.data_bytes // (self.channels * self.bits // 8)

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate_hz


@dataclass(frozen=True, slots=True)
class _Chunks:
    fmt: memoryview
    data_at: int
    data_bytes: int
    metadata: tuple[str, ...]


def parse_wav(
    data: memoryview | FileView, rules: AudioRules, limits: ReadLimits
) -> tuple[WavFormat | None, list[Refusal]]:
    """The format of a whole file, and what is wrong or worth a warning; no format when it is refused. Samples are not
    looked at."""
    try:
        chunks = _chunks(data, limits)
        tag, channels, rate, byte_rate, align, bits = _fmt(chunks.fmt)
    except Refusal as refusal:
        # Without its traceback, whose frames would keep slices of the caller's buffer alive.
        refusal.__context__ = None
        return None, [refusal.with_traceback(None)]
    problems = [*_property_problems(tag, channels, rate, bits, rules)]
    if any(problem.code.startswith("E_") for problem in problems):
        return None, problems
    if align != channels * bits // 8 or byte_rate != rate * align:
        what = f"block align {align} and byte rate {byte_rate} do not follow from {bits} bits at {rate} Hz"
        return None, [Refusal("E_WAV_FMT", what=what)]
    if chunks.data_bytes % align:
        return None, [Refusal("E_WAV_TRUNC", what="the audio ends inside a sample")]
    if chunks.metadata:
        problems.append(Refusal("W_WAV_META", names=", ".join(chunks.metadata)))
    found = WavFormat(rate, channels, bits, tag == _FLOAT, chunks.data_at, chunks.data_bytes, chunks.metadata)
    if not rules.min_duration_s <= found.duration_s <= rules.max_duration_s:
        return None, [*problems, duration_refusal(found.duration_s, rules)]
    return found, problems


def duration_refusal(seconds: float, rules: AudioRules) -> Refusal:
    return Refusal("E_WAV_DUR", seconds=f"{seconds:.3f}", low=rules.min_duration_s, high=rules.max_duration_s)


def oversize_problems(head: bytes, bytes_: int, rules: AudioRules, limits: ReadLimits) -> list[Refusal]:
    """What is said of a file beyond the byte cap from its first bytes only: its size, and how long it would last."""
    what = f"the file has {bytes_} bytes; {rules.max_bytes} are allowed"
    problems = [Refusal("E_WAV_SIZE", what=what)]
    view = memoryview(head)
    for name, at, size in _stated_chunks(view, limits):
        if name == b"fmt " and size >= _FMT.size and at + _FMT.size <= len(view):
            _, _, _, byte_rate, _, _ = _FMT.unpack_from(view, at)
            if byte_rate and bytes_ / byte_rate > rules.max_duration_s:
                problems.append(duration_refusal(bytes_ / byte_rate, rules))
    return problems


def _stated_chunks(view: memoryview, limits: ReadLimits) -> Iterator[tuple[bytes, int, int]]:
    if not _is_riff(view):
        return
    at = 12
    for _ in range(limits.wav_chunks):
        if at + 8 > len(view):
            return
        size = int.from_bytes(view[at + 4 : at + 8], "little")
        yield bytes(view[at : at + 4]), at + 8, size
        at += 8 + size + (size & 1)


def _chunks(data: memoryview | FileView, limits: ReadLimits) -> _Chunks:
    end, short = _riff_end(data)
    fmt: memoryview | None = None
    audio: tuple[int, int] | None = None
    metadata: list[str] = []
    at, count = 12, 0
    while at < end:
        count += 1
        if count > limits.wav_chunks:
            raise Refusal("E_WAV_CHUNK", what=f"the file has more than {limits.wav_chunks} chunks")
        name, size = _chunk_head(data, at, end, short, after_data=audio is not None)
        if name == b"fmt ":
            if fmt is not None or audio is not None:
                raise Refusal("E_WAV_CHUNK", what="the file has two fmt chunks, or one after the data")
            fmt = data[at + 8 : at + 8 + size]
        elif name == b"data":
            if audio is not None or fmt is None:
                raise Refusal("E_WAV_CHUNK", what="the file has two data chunks, or data before fmt")
            audio = (at + 8, size)
        elif name not in _STRUCTURAL:
            metadata.append(name.decode("ascii", "replace").strip())
        at += 8 + size + (size & 1)
    if fmt is None or audio is None:
        raise Refusal("E_WAV_CHUNK", what="the file has no fmt or no data chunk")
    return _Chunks(fmt, *audio, tuple(quoted(name) for name in dict.fromkeys(metadata)))


def _is_riff(data: memoryview | FileView) -> bool:
    head = bytes(data[:12])
    return len(head) == 12 and head[:4] == b"RIFF" and head[8:] == b"WAVE"


def _riff_end(data: memoryview | FileView) -> tuple[int, bool]:
    """Where the header says that the file ends, and whether the file is shorter than that."""
    if not _is_riff(data):
        what = f"it has {len(data)} bytes" if len(data) < 12 else f"it starts with {bytes(data[:12])!r}"
        raise Refusal("E_WAV_FORMAT", what=what)
    stated = int.from_bytes(data[4:8], "little")
    if stated in _STREAMING:
        raise Refusal("E_WAV_SIZE", what=f"the RIFF size is {stated}, as a streaming writer leaves it")
    end = 8 + stated
    if end < len(data):
        raise Refusal("E_WAV_SIZE", what=f"{len(data) - end} bytes follow after the end that the header states")
    return end, end > len(data)


def _chunk_head(data: memoryview | FileView, at: int, end: int, short: bool, *, after_data: bool) -> tuple[bytes, int]:
    """Name and size of the chunk at ``at``, checked against the file."""
    name = bytes(data[at : at + 4])
    if at + 8 > len(data) or at + 8 > end:
        if after_data and at == len(data):
            raise Refusal("E_WAV_SIZE", what=f"the RIFF size is {end - at} too large; the chunks are whole")
        if short:
            raise Refusal("E_WAV_TRUNC", what="the file ends before the end that its header states")
        code, what = ("E_WAV_SIZE", "bytes after the audio") if after_data else ("E_WAV_CHUNK", "a broken chunk")
        raise Refusal(code, what=f"the file ends with {what} that are no chunk")
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    body_end = at + 8 + size
    if name == b"data" and not after_data:
        _check_data_size(size, at, body_end, end)
    elif body_end + (size & 1) > end:
        if after_data and not _FOURCC.fullmatch(name):
            raise Refusal("E_WAV_SIZE", what="bytes follow after the audio that are no chunk")
        raise Refusal("E_WAV_CHUNK", what=f"the chunk {quoted(name.decode('latin-1'))} does not fit in the file")
    if body_end + (size & 1) > len(data):
        raise Refusal("E_WAV_TRUNC", what=f"the end is missing: {body_end - len(data)} of its bytes")
    if not _FOURCC.fullmatch(name):
        code = "E_WAV_SIZE" if after_data else "E_WAV_CHUNK"
        raise Refusal(code, what="bytes stand where a chunk must start")
    return name, size


def _check_data_size(size: int, at: int, body_end: int, end: int) -> None:
    if size in _STREAMING and body_end != end:
        raise Refusal("E_WAV_SIZE", what=f"the data size is {size}, as a streaming writer leaves it")
    if body_end > end:
        raise Refusal("E_WAV_SIZE", what=f"the data size is {size}, but the file has room for {end - at - 8}")
    if size & 1 and body_end == end:
        raise Refusal("E_WAV_TRUNC", what="the audio ends inside a sample")


def _fmt(fmt: memoryview) -> tuple[int, int, int, int, int, int]:
    """Tag, channels, rate, byte rate, block align, bits; the tag is that of the GUID for an extensible header."""
    if len(fmt) < _FMT.size:
        raise Refusal("E_WAV_FMT", what=f"the fmt chunk has {len(fmt)} bytes")
    tag, channels, rate, byte_rate, align, bits = _FMT.unpack_from(fmt)
    extra = int.from_bytes(fmt[16:18], "little") if len(fmt) >= 18 else 0
    if tag == _EXTENSIBLE:
        if len(fmt) != 40 or extra != 22:
            raise Refusal("E_WAV_CODEC", what="the extensible header is not complete")
        valid, inner, tail = int.from_bytes(fmt[18:20], "little"), int.from_bytes(fmt[24:26], "little"), fmt[26:40]
        if tail != _GUID_TAIL or inner not in (_PCM, _FLOAT) or valid != bits:
            raise Refusal("E_WAV_CODEC", what=f"the extensible header names another coding or {valid} valid bits")
        return inner, channels, rate, byte_rate, align, bits
    if tag not in (_PCM, _FLOAT):
        raise Refusal("E_WAV_CODEC", what=f"the coding is number {tag}; PCM is 1")
    if len(fmt) not in (16, 18) or extra:
        raise Refusal("E_WAV_FMT", what=f"the fmt chunk has {len(fmt)} bytes and {extra} extra ones")
    return tag, channels, rate, byte_rate, align, bits


def _property_problems(tag: int, channels: int, rate: int, bits: int, rules: AudioRules) -> Iterator[Refusal]:
    if channels == 2 and rules.downmix_stereo:
        yield Refusal("W_WAV_CHANNELS", channels=channels)
    elif channels != 1:
        yield Refusal("E_WAV_CHANNELS", channels=channels)
    if bits not in ((32, 64) if tag == _FLOAT else (16, 24, 32)):
        yield Refusal("E_WAV_BITS", bits=bits)
    elif tag == _FLOAT:
        yield Refusal("W_WAV_FLOAT", bits=bits)
    elif bits != 16:
        yield Refusal("W_WAV_BITS", bits=bits)
    if not rules.min_rate_hz <= rate <= rules.max_rate_hz:
        yield Refusal("E_WAV_RATE", rate=rate, low=rules.min_rate_hz, high=rules.max_rate_hz)
    elif rate < rules.advised_rate_hz:
        yield Refusal("W_WAV_RATE", rate=rate, advised=rules.advised_rate_hz)
