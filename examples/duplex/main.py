"""A full-duplex participant in the standard library alone: it listens while it talks.

It hears each recording 20 ms at a time, as a microphone would give it, and never looks ahead. When the user has been
silent for HUMDIAL_PAUSE_MS it answers; when somebody speaks over it for HUMDIAL_STOP_MS it falls silent and listens.
So a short "yeah" does not stop it and an interruption does. What it says are two recordings. Replace `Partner` by a
dialogue system, and put the time that it takes to answer into the output: a delay is measured there.
"""

from __future__ import annotations

import array
import os
import sys
import wave
from pathlib import Path

RATE_HZ = 16000
FRAME = 320  # samples: 20 ms
LOUD = 500  # a frame whose highest sample passes this is speech, full scale 32768
HERE = Path(__file__).resolve().parent


class Partner:
    """Hears frames, gives frames."""

    def __init__(self, clips: list[array.array], pause_ms: int, stop_ms: int) -> None:
        self.clips, self.pause, self.stop = clips, pause_ms // 20, stop_ms // 20
        self.heard = self.quiet = self.over = self.answers = 0
        self.saying = array.array("h")

    def step(self, frame: array.array) -> array.array:
        """What is said while ``frame`` is heard."""
        loud = max(map(abs, frame)) > LOUD
        if self.saying:
            self.over = self.over + 1 if loud else 0
            if self.over >= self.stop:
                self.heard, self.quiet, self.over, self.saying = self.over, 0, 0, array.array("h")
        elif loud:
            self.heard, self.quiet = self.heard + 1, 0
        elif self.heard:
            self.quiet += 1
            if self.quiet >= self.pause:
                self.heard = self.quiet = self.over = 0
                self.saying = self.clips[min(self.answers, len(self.clips) - 1)]
                self.answers += 1
        said, self.saying = self.saying[: len(frame)], self.saying[len(frame) :]
        return said + array.array("h", bytes(2 * (len(frame) - len(said))))


def read(path: Path) -> array.array:
    with wave.open(str(path), "rb") as source:
        return array.array("h", source.readframes(source.getnframes()))


def write(path: Path, samples: array.array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE_HZ)
        target.writeframes(samples.tobytes())


def main() -> int:
    inputs, outputs = Path(os.environ["HUMDIAL_INPUT"]), Path(os.environ["HUMDIAL_OUTPUT"])
    pause, stop = (int(os.environ.get(name, "0")) for name in ("HUMDIAL_PAUSE_MS", "HUMDIAL_STOP_MS"))
    clips = [read(HERE / "answer.wav"), read(HERE / "again.wav")]
    for path in sorted(inputs.glob("*/*.wav")):
        user, said = read(path), array.array("h")
        partner = Partner(clips, pause or 900, stop or 500)
        for start in range(0, len(user), FRAME):
            said += partner.step(user[start : start + FRAME])
        write(outputs / path.parent.name / f"{path.stem}_output.wav", said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
