"""Speech recognisers: a file each, a row each in the table. Foreign libraries are imported inside the files only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.documents.duplex import Transcript
from harness.errors import MachineError


class Recogniser(Protocol):
    """One loaded recogniser of one language. What it hears in a file depends on that file alone."""

    def transcript(self, path: Path) -> Transcript:
        """The words of a 16 kHz mono PCM16 WAV with their times in seconds, in order; no words: nothing was said."""
        ...

    def versions(self) -> dict[str, str]:
        """The libraries that decide what is heard."""
        ...


def _ct2(language: str, weights: Path, settings: Mapping[str, Any]) -> Recogniser:
    from harness.hearing.recognisers.ct2 import CT2Whisper

    return CT2Whisper(language, weights, settings)


def _whisper(language: str, weights: Path, settings: Mapping[str, Any]) -> Recogniser:
    from harness.hearing.recognisers.whisper import Whisper

    return Whisper(language, weights)


def _parakeet(language: str, weights: Path, settings: Mapping[str, Any]) -> Recogniser:
    from harness.hearing.recognisers.parakeet import Parakeet

    return Parakeet(weights)


def _paraformer(language: str, weights: Path, settings: Mapping[str, Any]) -> Recogniser:
    from harness.hearing.recognisers.paraformer import Paraformer

    return Paraformer(weights)


RECOGNISERS: dict[str, Callable[[str, Path, Mapping[str, Any]], Recogniser]] = {
    "faster_whisper": _ct2,
    "whisper": _whisper,
    "nemo": _parakeet,
    "funasr": _paraformer,
}


def load_recogniser(engine: str, language: str, weights: Path, settings: Mapping[str, Any]) -> Recogniser:
    """The recogniser that the spec's ``engine`` names, from a local folder of weights.

    Raises MachineError (I_RECOGNISER) when this image lacks its library or the weights cannot be loaded.
    """
    try:
        return RECOGNISERS[engine](language, weights, settings)
    except ImportError as error:
        raise _failed(f"{error.name or engine} is not installed in this judge image") from error
    except (OSError, ValueError, RuntimeError, StopIteration) as error:
        raise _failed(f"its weights cannot be loaded ({type(error).__name__}: {error})") from error


def _failed(what: str) -> MachineError:
    return MachineError(
        f"the recogniser cannot work: {what}",
        code="I_RECOGNISER",
        hint="give ready transcripts to --transcripts, or choose another --recogniser",
    )
