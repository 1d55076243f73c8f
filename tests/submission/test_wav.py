"""WAV files: what the strict reader takes, what it refuses and why, and that what it takes is the same everywhere."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import time
import wave
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import made
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from made import chunk, fmt, riff

from harness.challenge.reading import AudioRules
from harness.documents.codes import all_codes
from harness.resources import schema_path
from harness.submission import check
from harness.submission.readers.pcm import decode
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.rewriting import read_wav, rewrite
from harness.submission.readers.wav import WavFormat

RULES, LIMITS = made.CHALLENGE.audio, made.CHALLENGE.read_limits
GOOD = made.wav(0.3)
DATA = GOOD[44:]


def codes(data: bytes) -> list[str]:
    return [problem.code for problem in read_wav(data, RULES, LIMITS)[1]]


def accepted(data: bytes) -> WavFormat:
    format_, problems = read_wav(data, RULES, LIMITS)
    assert format_ is not None, [(problem.code, problem.values) for problem in problems]
    return format_


def patched(at: int, new: bytes, data: bytes = GOOD) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def extensible(bits: int = 16, valid: int = 16, tag: int = 1, tail: bytes | None = None, extra: int = 22) -> bytes:
    guid = struct.pack("<H", tag) + (tail or bytes.fromhex("000000001000800000aa00389b71"))
    return fmt(0xFFFE, bits=bits) + struct.pack("<2HI", extra, valid, 4) + guid


def floats(values: np.ndarray, width: str = "<f4") -> bytes:
    return riff(fmt(3, bits=8 * int(width[-1])), values.astype(width).tobytes())


TONE = 0.4 * np.sin(np.arange(4800) / 20)

REFUSED = {
    "empty": (b"", "E_WAV_FORMAT"),
    "RIFF only": (b"RIFF", "E_WAV_FORMAT"),
    "big endian": (b"RIFX" + GOOD[4:], "E_WAV_FORMAT"),
    "RF64": (b"RF64" + GOOD[4:], "E_WAV_FORMAT"),
    "ID3 before": (b"ID3\x03\x00\x00\x00\x00\x00\x00" + GOOD, "E_WAV_FORMAT"),
    "ogg": (b"OggS" + bytes(100), "E_WAV_FORMAT"),
    "flac": (b"fLaC" + bytes(100), "E_WAV_FORMAT"),
    "mp3": (b"\xff\xfb\x90\x00" + bytes(100), "E_WAV_FORMAT"),
    "playlist": (b"#EXTM3U\nhttp://example.org/x.ts\n", "E_WAV_FORMAT"),
    "html": (b"<!DOCTYPE html>", "E_WAV_FORMAT"),
    "elf": (b"\x7fELF" + bytes(100), "E_WAV_FORMAT"),
    "numpy": (b"\x93NUMPY\x01\x00" + bytes(100), "E_WAV_FORMAT"),
    "data size +1 GiB": (patched(40, struct.pack("<I", len(DATA) + (1 << 30))), "E_WAV_SIZE"),
    "data size streaming": (patched(40, b"\xff" * 4), "E_WAV_SIZE"),
    "data size 0, bytes following": (patched(40, bytes(4)), "E_WAV_SIZE"),
    "both sizes streaming": (patched(4, b"\xff" * 4, patched(40, b"\xff" * 4)), "E_WAV_SIZE"),
    "hidden tail": (patched(40, struct.pack("<I", len(DATA) - 1000)), "E_WAV_SIZE"),
    "riff size 0": (patched(4, bytes(4)), "E_WAV_SIZE"),
    "riff size small": (patched(4, struct.pack("<I", len(GOOD) - 10)), "E_WAV_SIZE"),
    "riff size big": (patched(4, struct.pack("<I", len(GOOD) + 100)), "E_WAV_SIZE"),
    "bytes after the end": (GOOD + b"PK\x05\x06" + bytes(18), "E_WAV_SIZE"),
    "cut in the middle": (GOOD[: len(GOOD) // 2], "E_WAV_TRUNC"),
    "cut inside a sample": (GOOD[:-1], "E_WAV_TRUNC"),
    "cut in the header": (GOOD[:30], "E_WAV_TRUNC"),
    "odd data": (riff(fmt(), DATA[:-1]), "E_WAV_TRUNC"),
    "two data": (riff(fmt(), DATA, chunk(b"data", DATA * 2)), "E_WAV_CHUNK"),
    "two fmt": (riff(fmt(), DATA, before=chunk(b"fmt ", fmt(channels=2))), "E_WAV_CHUNK"),
    "no data": (b"RIFF" + struct.pack("<I", 28) + b"WAVE" + chunk(b"fmt ", fmt()), "E_WAV_CHUNK"),
    "no fmt": (b"RIFF" + struct.pack("<I", 16) + b"WAVE" + chunk(b"data", b"1234"), "E_WAV_CHUNK"),
    "data first": (
        b"RIFF" + struct.pack("<I", 40) + b"WAVE" + chunk(b"data", b"1234") + chunk(b"fmt ", fmt()),
        "E_WAV_CHUNK",
    ),
    "chunk past the end": (riff(fmt(), DATA, b"LIST\xfe\xff\xff\xff"), "E_WAV_CHUNK"),
    "chunk without pad": (riff(fmt(), DATA, b"LIST" + struct.pack("<I", 3) + b"abc"), "E_WAV_CHUNK"),
    "100,000 chunks": (riff(fmt(), DATA, before=chunk(b"JUNK", b"") * 100_000), "E_WAV_CHUNK"),
    "65 chunks": (riff(fmt(), DATA, before=chunk(b"JUNK", b"") * 63), "E_WAV_CHUNK"),
    "garbage chunk name": (riff(fmt(), DATA, before=b"\0\1\2\3" + bytes(4)), "E_WAV_CHUNK"),
    "a-law": (riff(fmt(6, bits=8), DATA), "E_WAV_CODEC"),
    "adpcm": (riff(fmt(2, bits=4), DATA), "E_WAV_CODEC"),
    "mp3 inside": (riff(fmt(0x55), DATA), "E_WAV_CODEC"),
    "extensible, 8 valid bits": (riff(extensible(valid=8), DATA), "E_WAV_CODEC"),
    "extensible, foreign coding": (riff(extensible(tail=bytes(14)), DATA), "E_WAV_CODEC"),
    "extensible, a-law": (riff(extensible(tag=6), DATA), "E_WAV_CODEC"),
    "extensible, short": (riff(fmt(0xFFFE) + struct.pack("<H", 0), DATA), "E_WAV_CODEC"),
    "extensible, wrong extra": (riff(extensible(extra=20), DATA), "E_WAV_CODEC"),
    "0 bits": (riff(patched(14, bytes(2), fmt()), DATA), "E_WAV_BITS"),
    "8 bits": (riff(fmt(bits=8), DATA), "E_WAV_BITS"),
    "12 bits": (riff(patched(14, b"\x0c\x00", fmt()), DATA), "E_WAV_BITS"),
    "64 bits": (riff(fmt(bits=64), DATA), "E_WAV_BITS"),
    "16-bit float": (riff(fmt(3, bits=16), DATA), "E_WAV_BITS"),
    "0 channels": (riff(patched(2, bytes(2), fmt()), DATA), "E_WAV_CHANNELS"),
    "stereo": (made.wav(channels=2), "E_WAV_CHANNELS"),
    "6 channels": (made.wav(channels=6), "E_WAV_CHANNELS"),
    "65,535 channels": (riff(patched(2, b"\xff\xff", fmt()), DATA), "E_WAV_CHANNELS"),
    "0 Hz": (riff(fmt(rate=0), DATA), "E_WAV_RATE"),
    "1 Hz": (riff(fmt(rate=1), DATA), "E_WAV_RATE"),
    "7,999 Hz": (made.wav(rate=7999), "E_WAV_RATE"),
    "48,001 Hz": (made.wav(rate=48001), "E_WAV_RATE"),
    "2^32-1 Hz": (riff(fmt(rate=0xFFFFFFFF), DATA), "E_WAV_RATE"),
    "block align 0": (riff(fmt(align=0), DATA), "E_WAV_FMT"),
    "block align 1": (riff(fmt(align=1), DATA), "E_WAV_FMT"),
    "block align 4": (riff(fmt(align=4), DATA), "E_WAV_FMT"),
    "byte rate": (riff(patched(8, struct.pack("<I", 16_000), fmt()), DATA), "E_WAV_FMT"),
    "short fmt": (riff(fmt()[:14], DATA), "E_WAV_FMT"),
    "long fmt": (riff(fmt() + bytes(8), DATA), "E_WAV_FMT"),
    "no sample": (riff(fmt(), b""), "E_WAV_DUR"),
    "0.01 s": (made.wav(0.01), "E_WAV_DUR"),
    "0.1999 s": (made.wav(0.1999), "E_WAV_DUR"),
    "121 s": (riff(fmt(rate=8000), DATA[:2] * 8000 * 121), "E_WAV_DUR"),
    "NaN": (floats(np.where(np.arange(4800) == 7, np.nan, TONE)), "E_WAV_NONFINITE"),
    "infinity": (floats(np.where(np.arange(4800) == 7, -np.inf, TONE), "<f8"), "E_WAV_NONFINITE"),
    "16-bit values as float": (floats(TONE * 32768), "E_WAV_RANGE"),
    "zeros": (made.wav(level=0), "E_WAV_SILENT"),
    "one bit of noise": (riff(fmt(), b"\x01\x00\xff\xff" * 3000), "E_WAV_SILENT"),
    "float zeros": (floats(TONE * 0), "E_WAV_SILENT"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_for_its_reason(name: str) -> None:
    data, code = REFUSED[name]
    started = time.monotonic()
    found = codes(data)
    assert time.monotonic() - started < 1
    assert code in found
    assert read_wav(data, RULES, LIMITS)[0] is None
    assert {each for each in found if each.startswith("E_")} == {code}


TAKEN: dict[str, tuple[bytes, list[str]]] = {
    "plain": (GOOD, []),
    "extensible": (riff(extensible(), DATA), []),
    "fmt with an empty extension": (riff(fmt() + bytes(2), DATA), []),
    "shortest": (made.wav(0.2), []),
    "64 chunks": (riff(fmt(), DATA, before=chunk(b"JUNK", b"") * 62), ["W_WAV_META"]),
    "8 kHz": (made.wav(rate=8000), ["W_WAV_RATE"]),
    "15,999 Hz": (made.wav(rate=15_999), ["W_WAV_RATE"]),
    "22,050 Hz": (made.wav(rate=22_050), []),
    "48 kHz": (made.wav(rate=48_000), []),
    "24 bit": (made.wav(bits=24), ["W_WAV_BITS"]),
    "32 bit": (made.wav(bits=32), ["W_WAV_BITS"]),
    "float 32": (made.wav(bits=32, tag=3), ["W_WAV_FLOAT"]),
    "float 64": (made.wav(bits=64, tag=3), ["W_WAV_FLOAT"]),
    "float over 1": (floats(TONE * 3), ["W_WAV_FLOAT", "W_WAV_RANGE", "W_WAV_CLIP"]),
    "a list behind": (riff(fmt(), DATA, chunk(b"LIST", b"INFOISFT\x05\0\0\0score5")), ["W_WAV_META"]),
    "impossible inner size": (riff(fmt(), DATA, chunk(b"LIST", b"INFOISFT\xff\xff\xff\xff")), ["W_WAV_META"]),
    "odd metadata with pad": (riff(fmt(), DATA, before=chunk(b"bext", b"abc")), ["W_WAV_META"]),
    "square wave": (riff(fmt(), (b"\xff\x7f" * 50 + b"\x00\x80" * 50) * 100), ["W_WAV_CLIP"]),
    "mostly silence": (riff(fmt(), DATA + bytes(len(DATA) * 4)), ["W_WAV_SILENCE"]),
    "as quiet as may be": (riff(fmt(), b"\x11\x00\xef\xff" * 3000), []),
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_unusual_file_is_taken_with_its_warnings(name: str, tmp_path: Path) -> None:
    data, wanted = TAKEN[name]
    assert sorted(codes(data)) == sorted(wanted)
    accepted(data)
    assert_canonical(data, tmp_path)


def rewritten(source: Path, target: Path, rules: AudioRules = RULES) -> None:
    """As the child does it, without the child."""
    rewrite(source, target, rules, LIMITS, rate_hz=16_000)


def assert_canonical(data: bytes, folder: Path) -> bytes:
    """The rewritten file is 16 kHz mono PCM16 behind 44 bytes, the same for every reader, and its own rewrite."""
    (folder / "in.wav").write_bytes(data)
    rewritten(folder / "in.wav", folder / "out.wav")
    out = (folder / "out.wav").read_bytes()
    with wave.open(io.BytesIO(out)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, 16_000)
        ours = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
    theirs, rate = soundfile.read(io.BytesIO(out), dtype="int16")
    assert rate == 16_000
    assert len(out) == 44 + 2 * len(ours)
    assert np.array_equal(ours, theirs)
    rewritten(folder / "out.wav", folder / "again.wav")
    assert (folder / "again.wav").read_bytes() == out
    return out


def test_sixteen_bit_samples_arrive_unchanged(tmp_path: Path) -> None:
    tagged = riff(fmt(), DATA, chunk(b"LIST", b"INFO"))
    assert assert_canonical(GOOD, tmp_path) == assert_canonical(tagged, tmp_path) == GOOD
    assert hashlib.sha256(GOOD).hexdigest() == hashlib.sha256((tmp_path / "out.wav").read_bytes()).hexdigest()


@pytest.mark.parametrize(("bits", "tag"), [(24, 1), (32, 1), (32, 3), (64, 3)])
def test_wider_samples_are_rounded_half_up_and_clipped(bits: int, tag: int, tmp_path: Path) -> None:
    wanted = np.array([0, 1, -1, 1000, -1000, 32767, -32768] * 1000)
    exact = wanted.astype(np.float64)
    halves = exact + 0.5 * (np.abs(wanted) < 32767)  # half up: n + 0.5 becomes n + 1
    if tag == 3:
        data = riff(fmt(3, bits=bits), (halves / 32768).astype(f"<f{bits // 8}").tobytes())
    else:
        wide = (halves * (1 << (bits - 16))).astype(np.int64)
        data = riff(fmt(1, bits=bits), b"".join(int(v).to_bytes(bits // 8, "little", signed=True) for v in wide))
    out = np.frombuffer(assert_canonical(data, tmp_path)[44:], "<i2")
    assert np.array_equal(out, wanted + (np.abs(wanted) < 32767))


@pytest.mark.parametrize("rate", [8000, 22_050, 24_000, 44_100, 48_000])
def test_another_rate_keeps_the_duration_and_the_tone(rate: int, tmp_path: Path) -> None:
    out = np.frombuffer(assert_canonical(made.wav(1.0, rate, seed=0), tmp_path)[44:], "<i2")
    assert abs(len(out) - 16_000) <= 1
    spectrum = np.abs(np.fft.rfft(out[:16_000].astype(float) * np.hanning(len(out[:16_000]))))
    assert abs(int(spectrum.argmax()) - 200) <= 1
    assert np.abs(out).max() == pytest.approx(0.4 * 32768, rel=0.05)


def test_decoding_agrees_with_soundfile() -> None:
    for name, (data, _) in TAKEN.items():
        if name.startswith(("64 chunks", "impossible")):
            continue
        format_ = accepted(data)
        ours = decode(memoryview(data), format_).astype(np.float64)
        scale = 1.0 if format_.is_float else 2.0**15 if format_.bits == 16 else 2.0**31
        theirs, rate = soundfile.read(io.BytesIO(data), dtype="float64")
        assert rate == format_.rate_hz
        assert np.array_equal(ours / scale, theirs), name


def test_a_spec_switch_mixes_stereo(tmp_path: Path) -> None:
    stereo = made.wav(channels=2)
    rules = replace(RULES, downmix_stereo=True)
    format_, problems = read_wav(stereo, rules, LIMITS)
    assert format_ is not None
    assert [problem.code for problem in problems] == ["W_WAV_CHANNELS"]
    (tmp_path / "in.wav").write_bytes(stereo)
    rewritten(tmp_path / "in.wav", tmp_path / "out.wav", rules)
    assert (tmp_path / "out.wav").read_bytes()[44:] == DATA


def test_what_the_reader_refuses_is_never_rewritten(tmp_path: Path) -> None:
    for data, code in (REFUSED["two data"], REFUSED["zeros"], REFUSED["stereo"]):
        (tmp_path / "in.wav").write_bytes(data)
        with pytest.raises(Refusal) as caught:
            rewritten(tmp_path / "in.wav", tmp_path / "out.wav")
        assert caught.value.code == code
        assert not (tmp_path / "out.wav").exists()


def test_the_caps_hold_one_below_at_and_one_above() -> None:
    rate = 8000
    below, above = DATA[:2] * (rate * 120), DATA[:2] * (rate * 120 + 1)
    assert "E_WAV_DUR" not in codes(riff(fmt(rate=rate), below))
    assert "E_WAV_DUR" in codes(riff(fmt(rate=rate), above))
    exactly, fewer = made.wav(0.2)[44:], made.wav(0.2)[44:-2]
    assert codes(riff(fmt(), exactly)) == []
    assert codes(riff(fmt(), fewer)) == ["E_WAV_DUR"]


@pytest.mark.parametrize(
    ("head", "bytes_", "wanted"),
    [
        (riff(fmt(), b"")[:44], 4 << 30, {"E_WAV_SIZE", "E_WAV_DUR"}),
        (riff(fmt(), b"")[:44], 58 << 20, {"E_WAV_SIZE", "E_WAV_DUR"}),
        (b"", 4 << 30, {"E_WAV_SIZE"}),
    ],
)
def test_a_file_beyond_the_cap_is_refused_by_its_size(
    tmp_path: Path, head: bytes, bytes_: int, wanted: set[str]
) -> None:
    folder = made.write(tmp_path / "sub", made.submission())
    path = next((folder / "zh/task4").iterdir())
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(bytes_)
    started = time.monotonic()
    report = check(folder, made.CHALLENGE).report
    assert time.monotonic() - started < 8
    assert {finding.code for finding in report.findings} == wanted


def test_measured_properties_fit_the_public_schema() -> None:
    validator = jsonschema_rs.validator_for(json.loads(schema_path("audio").read_text("utf-8")))
    for data, _ in TAKEN.values():
        format_ = accepted(data)
        samples = decode(memoryview(data), format_).astype(np.float64)
        full = 1.0 if format_.is_float else 2.0**15 if format_.bits == 16 else 2.0**31
        facts = {
            "container": "RIFF/WAVE",
            "encoding": "float" if format_.is_float else "pcm",
            "bits": format_.bits,
            "channels": format_.channels,
            "rate_hz": format_.rate_hz,
            "frames": format_.frames,
            "duration_s": format_.duration_s,
            "peak": float(np.abs(samples).max() / full),
            "sha256": hashlib.sha256(data).hexdigest(),
            "metadata": list(format_.metadata),
        }
        assert list(validator.iter_errors(facts)) == []
        for key, value in {"container": "FLAC", "bits": 8, "channels": 0, "rate_hz": 1.5, "duration_s": 0}.items():
            assert not validator.is_valid({**facts, key: value})


# ------------------------------------------------------------------------------------------ anything at all


@given(data=st.data())
@settings(max_examples=300, deadline=None)  # attacks/T115 tries ten thousand
def test_a_mutated_file_is_taken_the_same_by_every_reader_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    seeds = [made.wav(0.2), TAKEN["a list behind"][0], TAKEN["float 32"][0], riff(extensible(), DATA)]
    mutated = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 4))):
        head = data.draw(st.booleans())
        at = data.draw(st.integers(0, min(60, len(mutated)) if head else len(mutated)))
        kind = data.draw(st.sampled_from(["set", "word", "cut", "insert", "tail"]))
        if kind == "set" and at < len(mutated):
            mutated[at] = data.draw(st.integers(0, 255))
        elif kind == "word":
            mutated[at : at + 4] = struct.pack(
                "<I", data.draw(st.sampled_from([0, 1, 2, 16, 44, 1 << 31, (1 << 32) - 1]))
            )
        elif kind == "cut":
            del mutated[at : at + data.draw(st.integers(1, 50))]
        elif kind == "insert":
            mutated[at:at] = data.draw(st.binary(min_size=1, max_size=16))
        else:
            del mutated[-data.draw(st.integers(1, 50)) :]
    found = bytes(mutated)
    format_, problems = read_wav(found, RULES, LIMITS)
    assert all(problem.code in all_codes() and "_WAV_" in problem.code for problem in problems)
    if format_ is None:
        assert any(problem.code.startswith("E_WAV_") for problem in problems)
    else:
        assert_canonical(found, tmp_path_factory.mktemp("wav"))


@given(st.integers(0, 400), st.integers(-1, 1))
@settings(max_examples=200, deadline=None)
def test_a_chunk_boundary_one_off_is_never_taken(length: int, off: int) -> None:
    """A file with a metadata chunk of every length, whose stated size is right, one too small or one too large."""
    body = chunk(b"JUNK", bytes(length))
    if length + off < 0:
        return
    stated = b"JUNK" + struct.pack("<I", length + off) + body[8:]
    found = codes(riff(fmt(), DATA, before=stated))
    # An odd length has a pad byte: stated one larger, the size is right without padding.
    right = off == 0 or (off == 1 and length % 2 == 1)
    # An even length stated one smaller needs a pad byte, which is there.
    right = right or (off == -1 and length % 2 == 0)
    assert (found == ["W_WAV_META"]) == right
