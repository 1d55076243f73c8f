"""Where speech is, as silero-vad finds it with its default settings: the model's weights come from its package, the
rules that turn probabilities into segments are written anew here and give the same sample indices.

The package itself is not imported, because it wants torch and torchaudio for one small model on 16 kHz samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import MachineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000
FRAME = 512  # samples the model hears at once
_CONTEXT = 64  # samples of the frame before that it hears again
ENTER, LEAVE = 0.5, 0.35  # probabilities at which speech starts and ends
MIN_SPEECH, MIN_SILENCE, PAD = 4000, 1600, 480  # samples: 250, 100 and 30 ms

Samples = tuple[int, int]  # first sample of a stretch of speech, and the one after its last


def speech_segments(chances: Sequence[float], samples: int) -> list[Samples]:
    """Stretches of speech in a file of ``samples`` samples, from the probability of each of its frames.

    Speech starts at a frame of at least 0.5 and ends where 100 ms stay below 0.35; between the two thresholds nothing
    changes. Stretches of 250 ms or less are dropped, the others widened by 30 ms, or by half of a shorter pause.
    """
    found: list[Samples] = []
    start: int | None = None
    quiet: int | None = None
    for index, chance in enumerate(chances):
        at = index * FRAME
        if chance >= ENTER:
            start = at if start is None else start
            quiet = None
        elif chance < LEAVE and start is not None:
            quiet = at if quiet is None else quiet
            if at - quiet >= MIN_SILENCE:
                if quiet - start > MIN_SPEECH:
                    found.append((start, quiet))
                start = quiet = None
    if start is not None and samples - start > MIN_SPEECH:
        found.append((start, samples))
    return _widened(found, samples)


def _widened(found: list[Samples], samples: int) -> list[Samples]:
    starts, ends = [start for start, _ in found], [end for _, end in found]
    for index, (start, end) in enumerate(found):
        if index == 0:
            starts[0] = max(0, start - PAD)
        if index == len(found) - 1:
            ends[index] = min(samples, end + PAD)
            continue
        pause = found[index + 1][0] - end
        share = pause // 2 if pause < 2 * PAD else PAD
        ends[index] = min(samples, end + share)
        starts[index + 1] -= share
    return list(zip(starts, ends, strict=True))


class VoiceActivity:
    """The loaded model. ``wanted`` is what measures by the challenge's rules, for instance "silero-vad 6.2": other
    weights hear other edges.

    Raises MachineError (I_HEARING) when silero-vad or onnxruntime is not installed, or another version than wanted.
    """

    def __init__(self, wanted: str = "") -> None:
        _require(wanted)
        try:
            import onnxruntime
        except ImportError as error:
            raise _not_here("onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(weights_path()), providers=["CPUExecutionProvider"], sess_options=options
        )

    def segments(self, samples: NDArray[np.int16]) -> list[Samples]:
        """Stretches of speech in 16 kHz samples, shape (n,)."""
        return speech_segments(self.chances(samples), len(samples))

    def chances(self, samples: NDArray[np.int16]) -> list[float]:
        """The probability of speech in every frame; the last one is filled up with silence."""
        import numpy as np

        heard = np.zeros(-(-len(samples) // FRAME) * FRAME, np.float32)
        heard[: len(samples)] = samples.astype(np.float32) / 32768
        state, before = np.zeros((2, 1, 128), np.float32), np.zeros(_CONTEXT, np.float32)
        rate = np.array(RATE_HZ, np.int64)
        found = []
        for frame in heard.reshape(-1, FRAME):
            given = np.concatenate([before, frame])[None]
            chance, state = self._session.run(None, {"input": given, "state": state, "sr": rate})
            before = frame[-_CONTEXT:]
            found.append(float(chance[0, 0]))
        return found


def weights_path() -> Path:
    """The ONNX weights inside the installed silero-vad. Raises MachineError (I_HEARING) when there are none."""
    spec = find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise _not_here("silero-vad")


def voice_activity_version() -> str:
    """What stands in reports: the package whose weights are used. Raises MachineError (I_HEARING)."""
    try:
        return f"silero-vad {version('silero-vad')}"
    except PackageNotFoundError as error:
        raise _not_here("silero-vad") from error


def _require(wanted: str) -> None:
    if wanted and not f"{voice_activity_version()}.".startswith(f"{wanted}."):
        package, _, release = wanted.partition(" ")
        raise MachineError(
            f"{voice_activity_version()} is installed, the challenge measures with {wanted}",
            code="I_HEARING",
            hint=f"pip install --no-deps '{package}=={release}.*'",
        )


def _not_here(package: str) -> MachineError:
    return MachineError(
        f"{package} is not installed: voice activity cannot be measured",
        code="I_HEARING",
        hint="pip install onnxruntime, and silero-vad with --no-deps (only its weights are used)",
    )
