"""Real-time streams: how punctual the pacing is, how many streams one core carries, how true a clocked delay is.

The participant is examples/stream/participant.py in a process of its own; for the delay it runs in the sandbox too.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from harness.challenge.load import load_challenge
from harness.evaluation.stream import StreamOptions, stream_image
from harness.streaming import ItemRun, Session, StreamLimits, pace
from harness.streaming.measure import jitter, lateness_s

CHECKOUT = Path(__file__).resolve().parent.parent
PARTICIPANT = CHECKOUT / "examples" / "stream" / "participant.py"
BUSY = "while True: pass"
DELAY_MS = 250


def speech(loud_s: float, quiet_s: float) -> bytes:
    """A square wave of 200 Hz and silence, PCM16 at 16 kHz."""
    half = (b"\x40\x1f" * 40) + (b"\xc0\xe0" * 40)
    return (half * round(16000 * loud_s / 80)) + bytes(round(32000 * quiet_s))


def streams(count: int, pcm: bytes, items: int = 1, delay_ms: int = 0) -> tuple[list[ItemRun], float]:
    """``count`` participants side by side; the items as they were streamed, and the pacer's own CPU seconds."""
    runs: list[ItemRun] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        doors = []
        for number in range(count):
            path = f"{folder}/{number}"
            door = socket.socket(socket.AF_UNIX)
            door.bind(path)
            door.listen(1)
            inputs = iter([ItemRun(f"{number}-{item}", pcm) for item in range(items)])
            session = Session(inputs, StreamLimits(), time.monotonic())
            session.on_item = runs.append
            doors.append((door, session))
            environment = {**os.environ, "HUMDIAL_STREAM": path, "HUMDIAL_DELAY_MS": str(delay_ms)}
            process = subprocess.Popen([sys.executable, PARTICIPANT], env=environment)
            ending.callback(process.wait)
        before = time.thread_time()
        pace(doors)
        used = time.thread_time() - before
        assert all(session.state == "completed" for _, session in doors), [session.why for _, session in doors]
    return runs, used


def show_pacing(seconds: float) -> None:
    for name, busy in (("idle", 0), ("loaded", 2 * (os.cpu_count() or 1))):
        loads = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
        try:
            runs, _ = streams(1, speech(1, 1) * round(seconds / 2))
        finally:
            for load in loads:
                load.kill()
                load.wait()
        late = jitter(lateness_s(runs[0]))
        print(
            f"pacing, {seconds:g} s of 20 ms frames, {name} machine ({busy} busy processes beside): "
            f"median {late.median:.2f} ms, 99th percentile {late.p99:.2f} ms, worst {late.worst:.2f} ms"
        )


def show_capacity(count: int, seconds: float) -> None:
    runs, used = streams(count, speech(1, 1) * round(seconds / 2))
    late = jitter(value for run in runs for value in lateness_s(run))
    print(
        f"{count} streams side by side: {used / (count * seconds):.4f} s of one core a stream-second, so one core "
        f"carries about {count * seconds / used:.0f}; 99th percentile of lateness {late.p99:.2f} ms"
    )


def show_delay(items: int) -> None:
    """The clocked lag of a participant that waits 250 ms: as a process, and in the sandbox."""
    pcm = speech(0.5, 1.5)
    runs, _ = streams(1, pcm, items=items, delay_ms=DELAY_MS)
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
    chosen = parser.parse_args()
    show_pacing(chosen.seconds)
    show_capacity(20, 10)
    show_delay(12)
