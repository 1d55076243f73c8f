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
import socket
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.run_record import Fault, OutputFile
from harness.documents.stream_record import StreamedItem, StreamRecord
from harness.errors import MachineError, UsageError
from harness.evaluation.duplex_timing import time_pair
from harness.sandbox import (
    ContainerOutcome,
    Engine,
    Mount,
    Profile,
    connect,
    effective_limits,
    profile_sha256,
    run_container,
    seccomp_text,
)
from harness.sandbox.image_rules import check_image, choose_command
from harness.sandbox.images import resolve_image, run_sh_mode
from harness.streaming import ItemRun, Session, StreamLimits, pace
from harness.streaming.measure import jitter, lateness_s, streamed_item
from harness.streaming.protocol import RATE_HZ
from harness.submission import canonical_wav

RECORD = "stream.json"
OUTPUTS = "submission"
SOCKET_FOLDER, SOCKET = "/stream", "/stream/socket"
_OURS = (RECORD, OUTPUTS)
_Finished = Callable[[ItemRun], None]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """``streams`` containers share the inputs; ``seed`` hides names and order; ``gpu`` is a device's UUID; ``claimed``
    is a folder with the outputs that the team's own program wrote for the same inputs."""

    seed: str
    streams: int = 1
    gpu: str | None = None
    claimed: Path | None = None
    limits: StreamLimits = field(default_factory=StreamLimits)


@dataclass(slots=True)
class _Lane:
    """One container and its stream."""

    session: Session
    door: socket.socket
    folder: Path
    outcome: ContainerOutcome | None = None
    error: MachineError | None = None
    thread: threading.Thread | None = None

    def gone(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


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
        taken: dict[str, StreamedItem] = {}
        late: list[float] = []

        def finished(run: ItemRun) -> None:
            late.extend(lateness_s(run))
            file = names[run.item]
            taken[run.item] = streamed_item(run, file, _write_output(out / OUTPUTS, file, run))

        shares = [sorted(names)[number :: options.streams] for number in range(min(options.streams, len(names)))]
        load = os.getloadavg()[0]
        lanes = [_lane(share, pcm, Path(work) / str(number), options, finished) for number, share in enumerate(shares)]
        profile = _profile(effective, lanes[0].folder, command, options.gpu)
        real_time = _run_lanes(engine, image_id, profile, lanes)
        items = tuple(
            _with_delays(taken[name], inputs, out, told.get(names[name]), challenge)
            for name in sorted(taken, key=lambda name: names[name])
        )
        state, fault, why = _worst([_ended(lane) for lane in lanes])
        record = StreamRecord(
            schema_version=1,
            image_id=image_id,
            state=state,
            fault=fault,
            why=why,
            items=items,
            not_streamed=tuple(sorted(file for name, file in names.items() if name not in taken)),
            jitter_ms=jitter(late),
            machine=_machine(load, real_time),
            profile_sha256=profile_sha256(profile, image_id),
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
    return {file: _first_response_s(inputs / file, path, challenge) for file, path in present.items()}


def _with_delays(item: StreamedItem, inputs: Path, out: Path, told: float | None, challenge: Challenge) -> StreamedItem:
    """The first response delay of what we clocked beside what the team's own program claimed, by the same measure."""
    clocked = _first_response_s(inputs / item.file, out / OUTPUTS / item.output.path, challenge)
    difference = None if clocked is None or told is None else round(clocked - told, 3)
    return replace(item, clocked_s=clocked, claimed_s=told, difference_s=difference)


def _first_response_s(user: Path, model: Path, challenge: Challenge) -> float | None:
    """Seconds from the end of the user's speech to the first speech of the model after it; None without one."""
    responses = time_pair(user, model, challenge).response
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


def output_name(file: str) -> str:
    """The output's path for an input's: test/a.wav → test/a_output.wav."""
    return Path(file).with_name(f"{Path(file).stem}_output.wav").as_posix()


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
    made = {}
    (work / "audio").mkdir(mode=0o700)
    for name, file in names.items():
        made[name] = work / "audio" / f"{name}.wav"
        canonical_wav(inputs / file, made[name], challenge)
    return made


def _lane(
    share: Sequence[str], pcm: dict[str, Path], folder: Path, options: StreamOptions, finished: _Finished
) -> _Lane:
    folder.mkdir(mode=0o711)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o666)
    door.listen(1)
    session = Session(_items(share, pcm), options.limits, time.monotonic())
    session.on_item = finished
    return _Lane(session, door, folder)


def _items(share: Sequence[str], pcm: dict[str, Path]) -> Iterator[ItemRun]:
    """Read one input at a time: memory stays flat however many there are."""
    for name in share:
        with wave.open(str(pcm[name]), "rb") as wav:
            yield ItemRun(name, wav.readframes(wav.getnframes()))


def _run_lanes(engine: Engine, image_id: str, profile: Profile, lanes: Sequence[_Lane]) -> bool:
    """True when the pacer had real-time scheduling."""
    over = {id(lane.session): lane for lane in lanes}
    for lane in lanes:
        own = replace(profile, nonce=secrets.token_hex(8), mounts=(Mount(lane.folder.resolve(), SOCKET_FOLDER),))
        lane.thread = threading.Thread(target=_container, args=(engine, image_id, own, lane), daemon=True)
        lane.thread.start()
    try:
        return pace([(lane.door, lane.session) for lane in lanes], gone=lambda session: over[id(session)].gone())
    finally:
        for lane in lanes:
            lane.session.stop()
        for lane in lanes:
            if lane.thread is not None:
                lane.thread.join()


def _container(engine: Engine, image_id: str, profile: Profile, lane: _Lane) -> None:
    def over() -> str | None:
        return "the stream is over" if lane.session.state is not None else None

    try:
        lane.outcome = run_container(engine, profile, image_id, deadline_s=profile.limits.wall_s, watch=over)
    except MachineError as error:
        lane.error = error


def _profile(
    limits: RunLimits, folder: Path, command: tuple[tuple[str, ...], tuple[str, ...]], gpu: str | None
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
    )


def _ended(lane: _Lane) -> tuple[str, Fault, str]:
    """How one lane ended: our side's failures first, then the engine's word, then the session's."""
    if lane.error is not None:
        return "infrastructure", "infrastructure", f"{lane.error} [{lane.error.code}]"
    outcome, state = lane.outcome, lane.session.state
    if outcome is not None and not outcome.started:
        return "start_failed", "unclear" if outcome.start_unclear else "submission", "the program could not be started"
    if outcome is not None and outcome.oom_killed and state != "completed":
        return "out_of_memory", "submission", "a process was ended for memory"
    if state == "completed":
        return "completed", "none", ""
    return str(state), "submission", lane.session.why


def _worst(ends: Sequence[tuple[str, Fault, str]]) -> tuple[str, Fault, str]:
    order = ("infrastructure", "unclear", "submission", "none")
    return min(ends, key=lambda end: order.index(end[1]))


def _write_output(folder: Path, file: str, run: ItemRun) -> OutputFile:
    """The time-aligned WAV: as long as the input, sample 0 is the input's start."""
    name = output_name(file)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(run.playout.render(len(run.pcm) // 2))
    data = path.read_bytes()
    return OutputFile(name, len(data), hashlib.sha256(data).hexdigest())


def _machine(load_before: float, real_time: bool) -> dict[str, float | int | bool]:
    return {
        "cpus": os.cpu_count() or 1,
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "real_time": real_time,
    }
