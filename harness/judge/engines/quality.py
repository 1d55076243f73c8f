"""Audio quality of a canonical WAV by DNSMOS P.835, from the ONNX weights in the speechmos wheel.

The package itself is not imported: it wants librosa for another model. Reddy, Gopal and Cutler, "DNSMOS P.835" (2022):
signal, background and overall quality from 1 to 5, each segment of 9.01 s on its own, the raw values mapped by the
published polynomials. It was trained on English speech with noise and ranks nothing here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import MachineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000
SEGMENT = int(9.01 * RATE_HZ)  # samples
# Highest power first: signal, background, overall.
_MAPS = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


class QualityMeter:
    """The loaded DNSMOS model, on one thread."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(weights_path()), options, providers=["CPUExecutionProvider"]
        )

    def quality(self, samples: NDArray[np.int16]) -> dict[str, float]:
        """``dnsmos_sig``, ``dnsmos_bak`` and ``dnsmos_ovrl`` of PCM16 samples at 16 kHz; nothing for no samples.

        A clip shorter than a segment is repeated to fill one, as in the published script. A longer one is the mean
        over as many segments as cover it; the published script takes one every second, at ten times the cost.
        """
        import numpy as np

        audio = samples.astype(np.float32) / 32768
        if not len(audio):
            return {}
        while len(audio) < SEGMENT:  # doubled, as the published script does
            audio = np.append(audio, audio)
        raw = [self._raw(audio[start : start + SEGMENT]) for start in segment_starts(len(audio))]
        return {
            name: round(float(np.mean([np.polyval(powers, values[place]) for values in raw])), 4)
            for place, (name, powers) in enumerate(_MAPS.items())
        }

    def _raw(self, segment: Any) -> list[float]:
        (found,) = self._session.run(None, {"input_1": segment[None]})
        return [float(value) for value in found[0]]


def segment_starts(length: int) -> list[int]:
    """Where the fewest segments start that cover ``length`` samples (at least SEGMENT), evenly spread."""
    last = length - SEGMENT
    steps = -(-length // SEGMENT) - 1
    return [round(last * step / steps) for step in range(steps + 1)] if steps else [0]


def weights_path() -> Path:
    """The P.835 model inside the installed speechmos."""
    spec = find_spec("speechmos")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "dnsmos_models" / "sig_bak_ovr.onnx"
        if path.is_file():
            return path
    raise MachineError("speechmos is not installed", code="E_AUDIO", hint="build the judge image again")
