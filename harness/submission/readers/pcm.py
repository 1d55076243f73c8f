"""Samples of an accepted WAV: decoded by our own parse of the header, measured, and rounded to 16 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.challenge.reading import AudioRules
from harness.submission.readers.refusal import Refusal
from harness.submission.readers.wav import WavFormat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WINDOW_S = 0.1
_MOSTLY_PERCENT = 50  # silent windows
_CLIPPED_PERCENT = 1  # samples at full scale
_ABSURD = 8.0  # a floating point sample beyond this is no audio
_FULL = 32768


@dataclass(frozen=True, slots=True)
class Levels:
    """``peak`` with full scale 1.0, and how many percent of 0.1 s windows are silent, of samples at full scale."""

    peak: float
    silent_percent: int
    clipped_percent: int


def decode(data: memoryview, format_: WavFormat) -> NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float64]:
    """Samples, shape (frames,) for mono or (frames, channels): int16 as they are, 24- and 32-bit as int32 at full
    scale, floating point as float64."""
    import numpy as np

    raw = data[format_.data_at : format_.data_at + format_.data_bytes]
    samples: NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float64]
    if format_.is_float:
        with np.errstate(invalid="ignore"):  # a signalling NaN is a sample like any other until it is refused
            samples = np.frombuffer(raw, f"<f{format_.bits // 8}").astype(np.float64)
    elif format_.bits == 16:
        samples = np.frombuffer(raw, "<i2")
    elif format_.bits == 32:
        samples = np.frombuffer(raw, "<i4")
    else:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        samples = wide.reshape(-1).view("<i4")
    return samples if format_.channels == 1 else samples.reshape(-1, format_.channels)


def level_problems(data: memoryview, format_: WavFormat, rules: AudioRules) -> list[Refusal]:
    """What is wrong with the samples: not finite, far out of range, silent; or worth a warning."""
    import numpy as np

    samples = decode(data, format_)
    if format_.is_float:
        bad = samples.size - int(np.count_nonzero(np.isfinite(samples)))
        if bad:
            return [Refusal("E_WAV_NONFINITE", count=bad)]
    levels = measure(samples, format_, rules.silent_peak)
    if levels.peak > _ABSURD:
        return [Refusal("E_WAV_RANGE", peak=f"{levels.peak:.3g}")]
    if levels.peak <= rules.silent_peak:
        return [Refusal("E_WAV_SILENT", peak=f"{abs(levels.peak):.5f}")]
    problems = []
    if levels.peak > 1:
        problems.append(Refusal("W_WAV_RANGE", peak=f"{levels.peak:.3g}"))
    if levels.silent_percent > _MOSTLY_PERCENT:
        problems.append(Refusal("W_WAV_SILENCE", percent=levels.silent_percent))
    if levels.clipped_percent >= _CLIPPED_PERCENT:
        problems.append(Refusal("W_WAV_CLIP", percent=levels.clipped_percent))
    return problems


def measure(
    samples: NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float64], format_: WavFormat, silent_peak: float
) -> Levels:
    """Peak, silence and clipping of finite samples in one pass over windows of 0.1 s."""
    import numpy as np

    full = 1.0 if format_.is_float else float(_FULL) if format_.bits == 16 else float(_FULL << 16)
    width = max(1, round(_WINDOW_S * format_.rate_hz)) * format_.channels
    flat = samples.reshape(-1)
    starts = np.arange(0, flat.size, width)
    high, low = np.maximum.reduceat(flat, starts), np.minimum.reduceat(flat, starts)
    peaks = np.maximum(high.astype(np.float64), -low.astype(np.float64)) / full
    peak = float(peaks.max())
    top = 1.0 if format_.is_float else (full - 1) / full
    clipped = 0
    if peak >= top:
        limit = top * full
        clipped = int(np.count_nonzero(flat >= limit)) + int(np.count_nonzero(flat <= -limit))
    return Levels(peak, int(100 * np.count_nonzero(peaks <= silent_peak) // peaks.size), 100 * clipped // flat.size)


def to_int16(data: memoryview, format_: WavFormat, rate_hz: int) -> NDArray[np.int16]:
    """Mono samples at ``rate_hz``, rounded half up and clipped; 16-bit mono at that rate comes back unchanged."""
    import numpy as np

    samples = decode(data, format_)
    if format_.channels > 1:
        samples = samples.astype(np.float64).mean(axis=1)
    elif format_.bits == 16 and format_.rate_hz == rate_hz:
        return samples.astype(np.int16)
    scaled = samples.astype(np.float64)
    if format_.is_float:
        scaled *= _FULL
    elif format_.bits != 16:
        scaled /= 1 << 16
    if format_.rate_hz != rate_hz:
        import soxr

        scaled = soxr.resample(scaled, format_.rate_hz, rate_hz, quality="HQ")
    rounded: NDArray[np.int16] = np.clip(np.floor(scaled + 0.5), -_FULL, _FULL - 1).astype(np.int16)
    return rounded
