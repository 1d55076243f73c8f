"""Clean counterparts of a folder of inputs, and what speech directed at others is transcribed from again: sample-exact
at the inputs' own rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.challenge.duplex import DuplexRules
from harness.challenge.spec import Challenge
from harness.documents.codes import finding
from harness.documents.duplex import DuplexInput, input_path
from harness.duplex.clean import clean_input, directed_clean, directed_second
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
    made = []
    for item in _key(inputs, challenge, rules):
        case = rules.case(item.scenario, item.part)
        if case is not None and case.clean:
            path = _clean_path(item)
            prepare = directed_clean if item.scenario == _DIRECTED else clean_input
            samples, rate_hz = _mono(inputs / f"{input_path(item.file)}.wav")
            _write(out / path, prepare(samples, rate_hz, item.annotation), rate_hz)
            made.append(path)
    return made


def make_second(inputs: Path, outputs: Path, out: Path, challenge: Challenge) -> list[str]:
    """Write what is left of every input of speech directed at others and of its output once both begin with the
    follow-up query; in the output, what was said while that was asked is silence. ``outputs`` is a submission's folder;
    inputs without an output are left out. Returns the paths below ``out``: the inputs' and the outputs' own.

    Raises as `make_clean`, and Refused (E_PAIR_RATE) for an output of another rate than its input's.
    """
    rules = duplex_rules(challenge)
    layout = next(iter(rules.layouts.values()))
    made = []
    for item in _key(inputs, challenge, rules):
        path = input_path(item.file)
        output = outputs / layout.output_path(path)
        if item.scenario != _DIRECTED or not output.is_file():
            continue
        user, rate_hz = _mono(inputs / f"{path}.wav")
        said, output_hz = _mono(output)
        if output_hz != rate_hz:
            entry = finding("E_PAIR_RATE", name=output.name, found=output_hz, wanted=rate_hz)
            raise Refused(entry.message, code="E_PAIR_RATE", hint=entry.hint)
        halves = directed_second(user, said, rate_hz, item.annotation)
        for target, samples in zip((f"{path}.wav", layout.output_path(path)), halves, strict=True):
            _write(out / target, samples, rate_hz)
            made.append(target)
    return made


def _key(inputs: Path, challenge: Challenge, rules: DuplexRules) -> tuple[DuplexInput, ...]:
    found = read_pairs(inputs, challenge, rules)
    errors = [each for each in found.findings if each.severity == "error" and each.code != "E_KEY_AUDIO"]
    if errors or not found.key:
        first = errors[0].message if errors else "it has no key.jsonl and no annotations"
        raise UsageError(
            f"{inputs} cannot be used: {first}",
            code="E_GOLD",
            hint=f"`humdial validate --layout data {inputs}` lists everything",
        )
    return found.key


def _clean_path(item: DuplexInput) -> str:
    if item.clean is not None:
        return f"{input_path(item.clean)}.wav"
    folder, _, name = item.file.rpartition("/")
    return f"{folder}/clean_{name}.wav"


def _write(target: Path, samples: NDArray[np.int16], rate_hz: int) -> None:
    import soundfile

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, samples, rate_hz, subtype="PCM_16", format="WAV")
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
