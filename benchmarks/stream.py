"""Real-time streams: how punctual the pacing is, how many streams one core carries, how true a clocked delay is.

The participant is examples/stream/participant.py in a process of its own; for the delay it runs in the sandbox too, and
for the number of streams one process plays a crowd of them on the other cores.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.documents.stream_record import Jitter
from harness.evaluation.stream import StreamOptions, stream_image
from harness.streaming import ItemRun, Session, StreamLimits, pace
from harness.streaming.measure import jitter, lateness_s
from harness.streaming.protocol import AUDIO, FRAME_BYTES, Frame, encode_control, encode_frame

CHECKOUT = Path(__file__).resolve().parent.parent
PARTICIPANT = CHECKOUT / "examples" / "stream" / "participant.py"
BUSY = "while True: pass"
DELAY_MS = 250
LATE_MS = 5  # a quarter of a frame


def speech(loud_s: float, quiet_s: float) -> bytes:
    """A square wave of 200 Hz and silence, PCM16 at 16 kHz."""
    half = (b"\x40\x1f" * 40) + (b"\xc0\xe0" * 40)
    return (half * round(16000 * loud_s / 80)) + bytes(round(32000 * quiet_s))


def stream(pcm: bytes, items: int = 1, delay_ms: int = 0) -> list[ItemRun]:
    """The items as they were streamed to the example participant."""
    runs: list[ItemRun] = []
    with tempfile.TemporaryDirectory() as folder:
        door = socket.socket(socket.AF_UNIX)
        door.bind(f"{folder}/socket")
        door.listen(1)
        session = Session(iter([ItemRun(str(item), pcm) for item in range(items)]), StreamLimits(), time.monotonic())
        session.on_item = runs.append
        environment = {**os.environ, "HUMDIAL_STREAM": f"{folder}/socket", "HUMDIAL_DELAY_MS": str(delay_ms)}
        process = subprocess.Popen([sys.executable, PARTICIPANT], env=environment)
        try:
            pace([(door, session)])
        finally:
            process.wait()
        assert session.state == "completed", session.why
    return runs


def show_pacing(seconds: float) -> None:
    for name, busy in (("idle", 0), ("loaded", 2 * (os.cpu_count() or 1))):
        loads = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
        try:
            runs = stream(speech(1, 1) * round(seconds / 2))
        finally:
            for load in loads:
                load.kill()
                load.wait()
        late = jitter(lateness_s(runs[0]))
        print(
            f"pacing, {seconds:g} s of 20 ms frames, {name} machine ({busy} busy processes beside): "
            f"median {late.median:.2f} ms, 99th percentile {late.p99:.2f} ms, worst {late.worst:.2f} ms"
        )


def show_capacity(seconds: float) -> None:
    """More and more streams on one core until frames are late. Each number has three tries: other work on the machine
    can only make it look smaller."""
    cores = sorted(os.sched_getaffinity(0))
    carried = 0
    for count in (25, 50, 100, 150, 200, 300, 400):
        for _ in range(3):
            late, lost, used = crowded(count, speech(1, 1) * round(seconds / 2), cores)
            print(
                f"{count} streams on one core for {seconds:g} s, every frame answered: {100 * used / seconds:.0f} % of "
                f"the core, 99th percentile {late.p99:.2f} ms, worst {late.worst:.2f} ms, {lost} frames lost"
            )
            if not lost and late.p99 <= LATE_MS:
                carried = count
                break
        if carried < count:
            break
    print(f"one core carries {carried} real-time streams with 99 % of the frames at most {LATE_MS} ms late")


def crowded(count: int, pcm: bytes, cores: list[int]) -> tuple[Jitter, int, float]:
    """``count`` streams paced on the first core: how late frames were, how many were lost, CPU seconds of the pacer."""
    runs: list[ItemRun] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        doors = []
        for number in range(count):
            door = socket.socket(socket.AF_UNIX)
            door.bind(f"{folder}/{number}")
            door.listen(1)
            session = Session(iter([ItemRun(str(number), pcm)]), StreamLimits(), time.monotonic())
            session.on_item = runs.append
            doors.append((door, session))
        crowd = subprocess.Popen([sys.executable, __file__, "--crowd", folder])
        ending.callback(crowd.wait)
        os.sched_setaffinity(crowd.pid, cores[1:] or cores)
        os.sched_setaffinity(0, cores[:1])
        ending.callback(os.sched_setaffinity, 0, cores)
        before = time.thread_time()
        pace(doors)
        used = time.thread_time() - before
        assert all(session.state == "completed" for _, session in doors), [session.why for _, session in doors]
    return jitter(value for run in runs for value in lateness_s(run)), sum(run.sent_s.count(None) for run in runs), used


def crowd(folder: Path) -> None:
    """One process that plays every participant of a folder of sockets: it answers each frame with a frame."""
    answer = speech(1, 0)[:FRAME_BYTES]
    with selectors.DefaultSelector() as selector:
        for path in folder.iterdir():
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(path))
            selector.register(peer, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            for key, _ in selector.select():
                peer, waiting = key.fileobj, key.data
                data = peer.recv(1 << 16)
                waiting += data
                if not data or not _answered(peer, waiting, answer):
                    selector.unregister(peer)
                    peer.close()


def _answered(peer: socket.socket, waiting: bytearray, answer: bytes) -> bool:
    """Take the whole messages in ``waiting``; False when the stream is over."""
    said = b""
    while len(waiting) >= 8 and len(waiting) >= (end := 8 + int.from_bytes(waiting[2:4], "big")):
        kind, index, payload = waiting[0], int.from_bytes(waiting[4:8], "big"), bytes(waiting[8:end])
        del waiting[:end]
        if kind == AUDIO:
            said += encode_frame(Frame(index, answer))
        elif (type_ := json.loads(payload)["type"]) == "bye":
            return False
        elif type_ in ("hello", "end"):
            said += encode_control("ready", version=1) if type_ == "hello" else encode_control("done")
    peer.sendall(said)
    return True


def show_delay(items: int) -> None:
    """The clocked lag of a participant that waits 250 ms: as a process, and in the sandbox."""
    pcm = speech(0.5, 1.5)
    runs = stream(pcm, items=items, delay_ms=DELAY_MS)
    lags = [
        stretch.received_s - sent
        for run in runs
        for stretch in run.playout.stretches
        if (sent := run.sent_s[stretch.after_frame]) is not None
    ]
    print_delay("as a process", lags)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "inputs").mkdir()
        write_inputs(work / "inputs", pcm, items)
        image = build_image(work)
        challenge = load_challenge()
        record = stream_image(
            image, work / "inputs", work / "out", challenge, challenge.run_limits, StreamOptions(seed="benchmark")
        )
        print_delay("in the sandbox", [s.lag_s for item in record.items for s in item.stretches if s.lag_s is not None])


def print_delay(where: str, lags: list[float]) -> None:
    off = sorted(abs(1000 * lag - DELAY_MS) for lag in lags)
    print(
        f"a participant that waits {DELAY_MS} ms, {where}, {len(off)} answers: clocked within "
        f"{off[len(off) // 2]:.2f} ms of it in the median, {off[-1]:.2f} ms at worst (aim: 5 ms)"
    )


def write_inputs(folder: Path, pcm: bytes, items: int) -> None:
    import wave

    for number in range(items):
        with wave.open(str(folder / f"test-{number:06d}.wav"), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(16000)
            wav.writeframes(pcm)


def build_image(work: Path) -> str:
    subprocess.run([CHECKOUT / "sandbox" / "base-image.sh"], check=True, capture_output=True)
    context = work / "image"
    context.mkdir()
    (context / "participant.py").write_bytes(PARTICIPANT.read_bytes())
    recipe = (PARTICIPANT.parent / "Dockerfile").read_text("utf-8") + f"ENV HUMDIAL_DELAY_MS={DELAY_MS}\n"
    (context / "Dockerfile").write_text(recipe, "utf-8")
    tag = "humdial/benchmark-stream:local"
    build = ["docker", "build", "-q", "--network", "none", "--pull=false", "-t", tag, str(context)]
    subprocess.run(build, check=True, capture_output=True)
    return tag


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long the pacing is watched")
    parser.add_argument("--crowd", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.crowd:
        crowd(chosen.crowd)
        sys.exit()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    show_pacing(chosen.seconds)
    show_capacity(10)
    show_delay(12)
