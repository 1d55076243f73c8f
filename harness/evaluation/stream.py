"""`humdial duplex stream`: a team image hears the inputs in real time and answers; the clock is ours.

The container has no network and no inputs: only a Unix socket, through which 20 ms of audio come every 20 ms. So it
cannot read ahead, and what it says lies where it was received. Each of several streams has a container of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.stream_record import StreamedItem, StreamRecord
from harness.errors import UsageError
from harness.evaluation.duplex_timing import PairTimer
from harness.evaluation.stream_lanes import (
    SOCKET_FOLDER,
    Results,
    lane_end,
    make_lane,
    output_name,
    run_lanes,
    worst_end,
)
from harness.sandbox import Engine, Mount, Profile, connect, effective_limits, profile_sha256, run_host, seccomp_text
from harness.sandbox.image_rules import check_image, choose_command
from harness.sandbox.images import resolve_image, run_sh_mode
from harness.streaming import StreamLimits
from harness.streaming.measure import jitter
from harness.submission import canonical_wavs

RECORD = "stream.json"
OUTPUTS = "submission"
SOCKET = f"{SOCKET_FOLDER}/socket"
_OURS = (RECORD, OUTPUTS)


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """``streams`` containers share the inputs; ``seed`` hides names and order; ``gpu`` is a device's UUID; ``claimed``
    is a folder with the outputs that the team's own program wrote for the same inputs."""

    seed: str
    streams: int = 1
    gpu: str | None = None
    claimed: Path | None = None
    limits: StreamLimits = field(default_factory=StreamLimits)


def stream_image(
    image: str, inputs: Path, out: Path, challenge: Challenge, limits: RunLimits, options: StreamOptions
) -> StreamRecord:
    """Stream every WAV below ``inputs`` to ``image``; leave stream.json and submission/…_output.wav in ``out``.

    Raises UsageError for an unknown or refused image or inputs that are no WAVs, MachineError when our side fails.
    """
    engine = connect()
    effective, _ = effective_limits(limits, engine.host())
    image_id, command = _prepared(engine, image)
    files = wav_files(inputs)
    told = _claimed_s(inputs, files, options.claimed, challenge)
    _make_room(out)
    with tempfile.TemporaryDirectory(prefix="humdial-stream-", dir=_short_folder()) as work:
        Path(work).chmod(0o711)
        names = opaque_names(files, options.seed)
        pcm = _canonical_pcm(inputs, names, Path(work), challenge)
        shares = [sorted(names)[number :: options.streams] for number in range(min(options.streams, len(names)))]
        load = os.getloadavg()[0]
        results = Results(out / OUTPUTS, names)
        lanes = [
            make_lane(share, pcm, Path(work) / str(number), options.limits, results.take)
            for number, share in enumerate(shares)
        ]
        profile = _profile(effective, lanes[0].folder, command, options.gpu, engine.runtime())
        host = run_host(engine, profile)
        with results:
            real_time = run_lanes(engine, image_id, profile, lanes)
        taken = results.items
        ends = tuple(lane_end(lane, taken) for lane in lanes)
        worst = worst_end(ends)
        with PairTimer(challenge) as timer:
            items = tuple(
                _with_delays(taken[name], inputs, out, told.get(names[name]), timer)
                for name in sorted(taken, key=lambda name: names[name])
            )
        record = StreamRecord(
            schema_version=1,
            image_id=image_id,
            state=worst.state,
            fault=worst.fault,
            why=worst.why,
            items=items,
            not_streamed=tuple(sorted(file for name, file in names.items() if name not in taken)),
            jitter_ms=jitter(results.lateness),
            machine=_machine(load, real_time),
            profile_sha256=profile_sha256(profile, image_id),
            streams=ends,
            host=host,
        )
        write_atomic(out / RECORD, pretty_json(to_plain(record)))
    return record


def _claimed_s(
    inputs: Path, files: Sequence[str], claimed: Path | None, challenge: Challenge
) -> dict[str, float | None]:
    """Input → the first response delay in the output that the team's own program wrote for it. Measured before anything
    is streamed, so that a file that cannot be read costs no stream. Raises Refused with an E_WAV_* or E_PAIR_* code."""
    if claimed is None:
        return {}
    present = {file: claimed / output_name(file) for file in files if (claimed / output_name(file)).is_file()}
    if not present:
        raise UsageError(
            f"{claimed} holds no output for any input ({output_name(files[0])!a} would be one)",
            code="E_USAGE",
            hint="pass the submission folder of `humdial run`, with the inputs' folders and names",
        )
    with PairTimer(challenge) as timer:
        return {file: _first_response_s(timer, inputs / file, path) for file, path in present.items()}


def _with_delays(item: StreamedItem, inputs: Path, out: Path, told: float | None, timer: PairTimer) -> StreamedItem:
    """The first response delay of what we clocked beside what the team's own program claimed, by the same measure."""
    clocked = _first_response_s(timer, inputs / item.file, out / OUTPUTS / item.output.path)
    difference = None if clocked is None or told is None else round(clocked - told, 3)
    return replace(item, clocked_s=clocked, claimed_s=told, difference_s=difference)


def _first_response_s(timer: PairTimer, user: Path, model: Path) -> float | None:
    """Seconds from the end of the user's speech to the first speech of the model after it; None without one."""
    responses = timer.time(user, model).response
    return round(responses[0][1] - responses[0][0], 3) if responses else None


def _make_room(out: Path) -> None:
    """An empty place for results; those of an earlier stream are replaced, anything else is left alone."""
    out.mkdir(parents=True, exist_ok=True)
    strangers = sorted(path.name for path in out.iterdir() if path.name not in _OURS)
    if strangers:
        raise UsageError(
            f"{out} holds other files ({strangers[0]!a})", code="E_USAGE", hint="pass a new folder to --out"
        )
    (out / RECORD).unlink(missing_ok=True)
    shutil.rmtree(out / OUTPUTS, ignore_errors=True)


def wav_files(inputs: Path) -> list[str]:
    """The paths of all WAVs below ``inputs``, sorted. Raises UsageError (E_GOLD) when there are none."""
    found = sorted(path.relative_to(inputs).as_posix() for path in inputs.rglob("*.wav") if path.is_file())
    if not found:
        raise UsageError(f"{inputs} holds no WAV", code="E_GOLD", hint="pass a folder with the users' audio")
    return found


def opaque_names(files: Sequence[str], seed: str) -> dict[str, str]:
    """Opaque name → file. The names tell nothing and their order is the order of streaming."""
    return {hmac.new(seed.encode(), file.encode(), hashlib.sha256).hexdigest()[:16]: file for file in files}


def _prepared(engine: Engine, image: str) -> tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = resolve_image(engine, image)
    refused = [each for each in check_image(found, engine.host().architecture) if each.severity == "error"]
    nonce = secrets.token_hex(8)
    command = choose_command(found, None if found.entrypoint else run_sh_mode(engine, found, nonce))
    if refused or command is None:
        why = refused[0].message if refused else "it has no program to run"
        raise UsageError(
            f"the image cannot be streamed to: {why}", code="E_STREAM_IMAGE", hint="`humdial run` says more about it"
        )
    return found.id, command


def _short_folder() -> str:
    """A Unix socket's path must stay below 108 bytes, wherever the results go."""
    return "/run" if os.access("/run", os.W_OK) else tempfile.gettempdir()


def _canonical_pcm(inputs: Path, names: dict[str, str], work: Path, challenge: Challenge) -> dict[str, Path]:
    """Opaque name → canonical WAV, which no container sees."""
    (work / "audio").mkdir(mode=0o700)
    made = {name: work / "audio" / f"{name}.wav" for name in names}
    canonical_wavs([(inputs / file, made[name], None) for name, file in names.items()], challenge)
    return made


def _profile(
    limits: RunLimits, folder: Path, command: tuple[tuple[str, ...], tuple[str, ...]], gpu: str | None, runtime: str
) -> Profile:
    environment = (("HUMDIAL_STREAM", SOCKET), ("HOME", "/tmp"), ("HF_HUB_OFFLINE", "1"), ("TRANSFORMERS_OFFLINE", "1"))
    return Profile(
        role="stream",
        nonce="",
        limits=limits,
        mounts=(Mount(folder.resolve(), SOCKET_FOLDER),),
        environment=environment,
        seccomp=seccomp_text(),
        entrypoint=command[0],
        command=command[1],
        gpu=gpu,
        runtime=runtime,
    )


def _machine(load_before: float, real_time: bool) -> dict[str, float | int | bool]:
    return {
        "cpus": os.cpu_count() or 1,
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "real_time": real_time,
    }
