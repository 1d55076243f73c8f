"""`humdial duplex stream` on the real engine: containers that hear the inputs in real time through a socket alone."""

from __future__ import annotations

import json
import subprocess
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.documents.codec import read_document
from harness.documents.stream_record import StreamRecord
from harness.evaluation.stream import StreamOptions, opaque_names, stream_image, wav_files
from harness.reporting.stream import stream_text
from harness.resources import schema_path
from harness.sandbox import Engine
from harness.streaming import StreamLimits

pytestmark = pytest.mark.engine
CHECKOUT = Path(__file__).resolve().parents[2]
Humdial = Callable[..., subprocess.CompletedProcess[str]]
BuildImage = Callable[..., str]
PARTICIPANT = (CHECKOUT / "examples" / "stream" / "participant.py").read_text("utf-8")
RUN = ("COPY participant.py /opt/participant.py", 'ENTRYPOINT ["python3", "/opt/participant.py"]')


def tone(path: Path, loud_s: float, quiet_s: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = array("h", [8000 if number // 40 % 2 else -8000 for number in range(round(16000 * loud_s))])
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(16000)
        wav.writeframes(samples.tobytes() + bytes(round(32000 * quiet_s)))
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(3):
        tone(folder / "test" / f"test-00000{number}.wav", 0.4 + 0.1 * number, 1.6)
    return folder


def record_of(out: Path) -> StreamRecord:
    import jsonschema_rs

    plain = json.loads((out / "stream.json").read_text("utf-8"))
    jsonschema_rs.validator_for(json.loads(schema_path("stream-record").read_text("utf-8"))).validate(plain)
    return read_document(StreamRecord, out / "stream.json")


def leftovers(engine: Engine, image: str) -> list[str]:
    filters = {"label": "humdial.role=stream", "ancestor": image}
    return [found["Id"] for found in engine.api.containers(all=True, filters=filters)]


def test_an_echo_is_clocked_and_written_where_it_was_received(
    inputs: Path, humdial: Humdial, build_image: BuildImage, engine: Engine, tmp_path: Path
) -> None:
    image = build_image("ENV HUMDIAL_DELAY_MS=150 HUMDIAL_PAUSE_MS=200", *RUN, files={"participant.py": PARTICIPANT})
    done = humdial("duplex", "stream", image, "--inputs", inputs, "--out", tmp_path / "out", "--streams", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    record = record_of(tmp_path / "out")
    assert (record.state, record.fault, record.not_streamed) == ("completed", "none", ())
    assert record.host is not None and record.host.runtime == engine.runtime() and record.host.preflight
    assert [item.file for item in record.items] == [f"test/test-00000{number}.wav" for number in range(3)]
    for number, item in enumerate(record.items):
        (stretch,) = item.stretches
        assert item.answered == 20 + 5 * number
        assert stretch.lag_s is not None and stretch.lag_s >= 0.15
        # It answered frame 20+5n+10 after it had heard it, which was handed over at its end.
        assert stretch.after_frame == 29 + 5 * number
        assert stretch.start_s >= (stretch.after_frame + 1) * 0.02 + 0.15
        with wave.open(str(tmp_path / "out" / "submission" / item.output.path), "rb") as wav:
            samples = array("h", wav.readframes(wav.getnframes()))
        assert len(samples) == round((2.0 + 0.1 * number) * 16000)
        first = next(place for place, value in enumerate(samples) if value)
        assert abs(first - stretch.start_s * 16000) <= 1  # the record has four decimals
    assert leftovers(engine, image) == []
    assert "first response s" in done.stdout


def test_a_participant_sees_a_socket_and_nothing_else(
    inputs: Path, humdial: Humdial, build_image: BuildImage, tmp_path: Path
) -> None:
    """It answers loudly only when it finds inputs, an interface besides lo, or something it can write to."""
    spy = PARTICIPANT.replace(
        "    wire = Wire(",
        "    found = os.path.exists('/input') or os.path.exists('/output') or os.listdir('/sys/class/net') != ['lo']\n"
        "    found = found or os.access('/stream', os.W_OK) or os.access('/', os.W_OK)\n"
        "    if found: sys.exit(9)\n    wire = Wire(",
    )
    image = build_image(*RUN, files={"participant.py": spy})
    done = humdial("duplex", "stream", image, "--inputs", inputs / "test", "--out", tmp_path / "out", "--streams", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert record_of(tmp_path / "out").state == "completed"


# What a participant does in the first frame of its input, by its line of BAD; each gets a container of its own.
HOSTILE = """
import json, os, socket, struct, sys, time
HEADER = struct.Struct(">BBHI")
DOES = json.loads({does!r})
def frame(index, value):
    return HEADER.pack(65, 0, 640, index) + struct.pack("<320h", *[value] * 320)
def control(**message):
    payload = json.dumps(message).encode()
    return HEADER.pack(74, 0, len(payload), 0) + payload
wire = socket.socket(socket.AF_UNIX)
wire.connect(os.environ["HUMDIAL_STREAM"])
stream = wire.makefile("rb")
def said():
    kind, _, length, index = HEADER.unpack(stream.read(8))
    payload = stream.read(length)
    return (index, None) if kind == 65 else (0, json.loads(payload))
first = os.environ.get("HUMDIAL_FIRST", "")
said()
if first == "speaks":
    wire.sendall(frame(0, 4000))
if first:
    time.sleep(600)
wire.sendall(control(type="ready", version=1))
does = DOES[said()[1]["item"]]
said()
flood = {{"floods with sound": frame(0, 4000), "floods with silence": frame(0, 0)}}
flood["floods with flushes"] = control(type="flush")
if does in flood:
    while True:
        wire.sendall(flood[does] * 200)
if does == "half frame":
    wire.sendall(frame(0, 4000)[:300])
if does == "garbage":
    wire.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n" * 9)
if does == "another size":
    wire.sendall(HEADER.pack(65, 0, 320, 0) + bytes(320))
if does == "future":
    wire.sendall(frame(4000, 4000))
if does == "done":
    wire.sendall(control(type="done"))
if does in ("half frame", "closes"):
    sys.exit()
if does == "never reads":
    time.sleep(600)
while True:
    index, message = said()
    if index == 25 and message is None:
        wire.sendall(frame(25, 4000) * 10)
    if message and message["type"] == "end":
        wire.sendall(control(type="done"))
    if message and message["type"] == "bye":
        sys.exit()
"""
BAD = {
    "floods with sound": "flooded",
    "floods with silence": "flooded",
    "floods with flushes": "flooded",
    "half frame": "half_frame",
    "garbage": "malformed",
    "another size": "malformed",
    "future": "early",
    "done": "early",
    "closes": "closed_early",
    "never reads": "not_reading",
    "good": "completed",
}


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def test_bad_participants_each_in_a_container_end_in_named_states_and_harm_nobody(
    build_image: BuildImage, engine: Engine, tmp_path: Path
) -> None:
    """All at once, beside a good one: it hears every frame and its answer lies where it was received. What the flooders
    send without end is not held."""
    challenge = load_challenge()
    for number in range(len(BAD)):
        tone(tmp_path / "in" / "test" / f"test-{number:06d}.wav", 0.5, 6.5)
    names = sorted(opaque_names(wav_files(tmp_path / "in"), "bad"))
    does = dict(zip(names, BAD, strict=True))
    image = build_image(*RUN, files={"participant.py": HOSTILE.format(does=json.dumps(does))})
    options = StreamOptions(seed="bad", streams=len(BAD), limits=StreamLimits(unread_s=0.5))
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is counted from here
    before = peak_bytes()
    record = stream_image(image, tmp_path / "in", tmp_path / "out", challenge, challenge.run_limits, options)
    assert peak_bytes() - before < 100 << 20
    assert {does[name]: end.state for name, end in zip(names, record.streams, strict=True)} == BAD
    assert all((end.fault, end.streamed) == ("submission", 0) and end.why for end in record.streams[:-1])
    assert record.fault == "submission" and len(record.not_streamed) == len(BAD) - 1
    (fine,) = record.items
    assert (does[fine.item], fine.frames, fine.unread) == ("good", 350, 0)
    assert (fine.answered, fine.late, fine.missing, len(fine.stretches)) == (10, 0, 0, 1)
    assert fine.stretches[0].after_frame == 25 and fine.stretches[0].start_s >= 26 * 0.02
    assert record_of(tmp_path / "out") == record
    assert "stream 1  flooded, 0 of 1 inputs" in stream_text(record)
    assert leftovers(engine, image) == []


@pytest.mark.parametrize(
    ("program", "first", "state"),
    [
        ("import sys; sys.exit(3)", "", "not_connected"),
        (HOSTILE.format(does="{}"), "speaks", "early"),
        (HOSTILE.format(does="{}"), "stalls", "not_ready"),
    ],
)
def test_what_happens_before_it_is_ready_is_named_too(
    program: str, first: str, state: str, inputs: Path, build_image: BuildImage, engine: Engine, tmp_path: Path
) -> None:
    challenge = load_challenge()
    image = build_image(f"ENV HUMDIAL_FIRST={first}", *RUN, files={"participant.py": program})
    options = StreamOptions(seed="early", limits=StreamLimits(ready_s=1))
    record = stream_image(image, inputs, tmp_path / "out", challenge, challenge.run_limits, options)
    assert (record.state, record.fault) == (state, "submission") and record.why
    assert (record.items, len(record.not_streamed)) == ((), 3)
    assert record_of(tmp_path / "out") == record
    assert leftovers(engine, image) == []


def test_what_ended_the_stream_shows_in_the_exit_code(
    inputs: Path, humdial: Humdial, build_image: BuildImage, tmp_path: Path
) -> None:
    program = PARTICIPANT.replace("system.hear(index, message)", "return 0")
    image = build_image(*RUN, files={"participant.py": program})
    done = humdial("duplex", "stream", image, "--inputs", inputs, "--out", tmp_path / "out", "-f", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(done.stdout)["state"] == record_of(tmp_path / "out").state == "closed_early"


def test_a_folder_without_wavs_and_a_folder_with_other_files(humdial: Humdial, base_image: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = humdial("duplex", "stream", base_image, "--inputs", tmp_path / "empty", "--out", tmp_path / "out")
    assert done.returncode == 2 and "E_GOLD" in done.stderr
    tone(tmp_path / "in" / "a.wav", 0.3, 0.1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    done = humdial("duplex", "stream", base_image, "--inputs", tmp_path / "in", "--out", tmp_path / "mine")
    assert done.returncode == 2 and (tmp_path / "mine" / "notes.txt").read_text() == "keep"


def test_an_image_that_may_not_run_is_not_streamed_to(
    inputs: Path, humdial: Humdial, build_image: BuildImage, tmp_path: Path
) -> None:
    image = build_image("VOLUME /data", *RUN, files={"participant.py": PARTICIPANT})
    done = humdial("duplex", "stream", image, "--inputs", inputs, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "E_STREAM_IMAGE" in done.stderr


def test_clocked_and_claimed_delays_stand_side_by_side(
    humdial: Humdial, build_image: BuildImage, tmp_path: Path
) -> None:
    """The claim is the echo itself, moved 0.3 s to the front: so much faster than we clocked it."""
    inputs, claims = tmp_path / "inputs" / "test", tmp_path / "claims" / "test"
    inputs.mkdir(parents=True)
    claims.mkdir(parents=True)
    said = tmp_path / "said.wav"
    subprocess.run(["espeak-ng", "-w", said, "Where did you put the red umbrella yesterday?"], check=True)
    with wave.open(str(said), "rb") as wav:
        rate, speech = wav.getframerate(), wav.readframes(wav.getnframes())
    user = inputs / "test-000001.wav"
    with wave.open(str(user), "wb") as wav:
        wav.setparams((1, 2, rate, 0, "NONE", ""))
        wav.writeframes(speech + bytes(2 * 5 * rate))
    image = build_image("ENV HUMDIAL_DELAY_MS=1200 HUMDIAL_PAUSE_MS=400", *RUN, files={"participant.py": PARTICIPANT})
    first = humdial("duplex", "stream", image, "--inputs", inputs.parent, "--out", tmp_path / "first")
    assert first.returncode == 0, first.stdout + first.stderr
    with wave.open(str(tmp_path / "first" / "submission" / "test" / "test-000001_output.wav"), "rb") as wav:
        heard = wav.readframes(wav.getnframes())
    shift = 2 * round(1.0 * 16000)
    claim = claims / "test-000001_output.wav"
    with wave.open(str(claim), "wb") as wav:
        wav.setparams((1, 2, 16000, 0, "NONE", ""))
        wav.writeframes(heard[shift:] + bytes(shift))
    both = humdial(
        "duplex", "stream", image, "--inputs", inputs.parent, "--out", tmp_path / "both", "--claimed", claims.parent
    )
    assert both.returncode == 0, both.stdout + both.stderr
    (item,) = record_of(tmp_path / "both").items
    assert item.clocked_s is not None and item.claimed_s is not None
    assert item.difference_s == round(item.clocked_s - item.claimed_s, 3)
    assert item.difference_s >= 0.5
    claim.write_bytes(b"RIFF, but no more")
    broken = humdial(
        "duplex", "stream", image, "--inputs", inputs.parent, "--out", tmp_path / "none", "--claimed", claims.parent
    )
    assert broken.returncode == 1 and "E_WAV" in broken.stderr
    assert not (tmp_path / "none" / "stream.json").exists()
