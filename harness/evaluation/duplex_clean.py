"""Clean counterparts of a folder of inputs, sample-exact at the inputs' own rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.challenge.spec import Challenge
from harness.documents.duplex import DuplexInput, input_path
from harness.duplex.clean import clean_input, directed_clean
from harness.errors import MachineError, Refused, UsageError
from harness.evaluation.duplex_timing import duplex_rules
from harness.submission import read_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The scenario whose second query moves to the place of the first.
_DIRECTED = "directed_at_others"


def make_clean(inputs: Path, out: Path, challenge: Challenge) -> list[str]:
    """Write the clean WAV of every input whose scenario has one below ``out``; returns their paths there.

    Raises UsageError (E_GOLD) for a key or annotations that are wrong (a clean WAV that is not there yet is what this
    is for), Refused (E_WAV_CHANNELS, E_WAV_BITS) for an input that is not mono PCM16, MachineError (I_DISK).
    """
    rules = duplex_rules(challenge)
    found = read_pairs(inputs, challenge, rules)
    errors = [each for each in found.findings if each.severity == "error" and each.code != "E_KEY_AUDIO"]
    if errors or not found.key:
        first = errors[0].message if errors else "it has no key.jsonl and no annotations"
        raise UsageError(
            f"{inputs} cannot be used: {first}",
            code="E_GOLD",
            hint=f"`humdial validate --layout data {inputs}` lists everything",
        )
    made = []
    for item in found.key:
        case = rules.case(item.scenario, item.part)
        if case is not None and case.clean:
            path = _clean_path(item)
            _write(inputs / f"{input_path(item.file)}.wav", out / path, item)
            made.append(path)
    return made


def _clean_path(item: DuplexInput) -> str:
    if item.clean is not None:
        return f"{input_path(item.clean)}.wav"
    folder, _, name = item.file.rpartition("/")
    return f"{folder}/clean_{name}.wav"


def _write(source: Path, target: Path, item: DuplexInput) -> None:
    import soundfile

    samples, rate_hz = _mono(source)
    prepare = directed_clean if item.scenario == _DIRECTED else clean_input
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, prepare(samples, rate_hz, item.annotation), rate_hz, subtype="PCM_16", format="WAV")
    except (OSError, soundfile.SoundFileError) as error:
        raise MachineError(f"{target} cannot be written: {error}", code="I_DISK", hint="free space") from error


def _mono(source: Path) -> tuple[NDArray[np.int16], int]:
    import soundfile

    try:
        with soundfile.SoundFile(source) as stream:
            if stream.channels != 1:
                raise Refused(f"{source.name} is not mono", code="E_WAV_CHANNELS", hint="pass the mono input")
            if stream.subtype != "PCM_16":
                raise Refused(f"{source.name} is not PCM16", code="E_WAV_BITS", hint="pass the 16-bit input")
            return stream.read(dtype="int16"), stream.samplerate
    except (OSError, soundfile.SoundFileError) as error:
        raise UsageError(f"{source} cannot be read: {error}", code="E_GOLD", hint="check the input") from error
