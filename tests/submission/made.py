"""Makes small submissions of either layout and the inputs that they answer: all bytes come from here, none from git."""

from __future__ import annotations

import io
import json
import math
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.challenge.load import load_challenge

CHALLENGE = load_challenge()
LANGUAGES = ("zh", "en")
TASKS = ("task2", "task3", "task4")
TURNS = 3
REPLIES = {
    "zh": ["听起来你今天过得很不容易。", "原来是这样，难怪你会觉得委屈。", "你从高兴变得失落，是因为没有人听你说。"],
    "en": [
        "That sounds like a rough day.",
        "I see why that would make you feel left out.",
        "You went from joy to disappointment because nobody listened.",
    ],
}
USERS = {
    "zh": ["我今天升职了！", "可是没人在意。", "你觉得我怎么了？"],
    "en": ["I got promoted!", "Nobody cared.", "What is it?"],
}
EMOTIONS = ["happy", "sad", "anger"]
Files = dict[str, bytes]


def ids(task: str, language: str) -> list[str]:
    return [f"{task}_{TURNS}_{language}_0001_{number:04d}" for number in (1, 2)]


@cache
def wav(
    seconds: float = 0.3,
    rate: int = 16_000,
    *,
    seed: int = 1,
    bits: int = 16,
    level: float = 0.4,
    channels: int = 1,
    tag: int = 1,
) -> bytes:
    """A strict WAV: a tone whose pitch depends on ``seed``."""
    frames = round(seconds * rate)
    values = [
        level * math.sin(2 * math.pi * (200 + 7 * seed) * n / rate) for n in range(frames) for _ in range(channels)
    ]
    if tag == 3:
        data = struct.pack(f"<{len(values)}{'f' if bits == 32 else 'd'}", *values)
    else:
        width, full = bits // 8, (1 << (bits - 1)) - 1
        data = b"".join(int(value * full).to_bytes(width, "little", signed=True) for value in values)
    return riff(fmt(tag, channels, rate, bits), data)


def fmt(tag: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, *, align: int | None = None) -> bytes:
    block = channels * bits // 8 if align is None else align
    return struct.pack("<2H2I2H", tag, channels, rate & 0xFFFFFFFF, rate * block & 0xFFFFFFFF, block, bits)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def riff(fmt_body: bytes, data: bytes, *more: bytes, before: bytes = b"") -> bytes:
    body = b"WAVE" + chunk(b"fmt ", fmt_body) + before + chunk(b"data", data) + b"".join(more)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pdf(pages: int = 2) -> bytes:
    """A PDF of blank pages with a right cross-reference table."""
    kids = " ".join(f"{3 + page} 0 R" for page in range(pages))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>"]
    objects += ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"] * pages
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, 2)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def manifest(**changes: object) -> bytes:
    plain: dict[str, object] = {
        "schema_version": 1,
        "team": "alpha",
        "display_name": "Team Alpha 甲",
        "system": "alpha-1",
        "tracks": ["track1"],
        "languages": ["zh", "en"],
        "resources": [{"kind": "model", "name": "m", "version": "1", "url": "https://example.org", "licence": "MIT"}],
        "declarations": {"no_commercial_tts": True, "single_model": True},
    }
    plain.update(changes)
    return json.dumps({key: value for key, value in plain.items() if value is not ...}, ensure_ascii=False).encode()


def line(dialogue_id: str, turns: list[dict[str, object]]) -> dict[str, object]:
    return {"dialogue_id": dialogue_id, "turns": turns}


def turns(language: str) -> list[dict[str, object]]:
    return [{"turn_id": n + 1, "response_text": REPLIES[language][n]} for n in range(TURNS)]


def jsonl(lines: list[object]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in lines)


def submission(layout: str = "seed") -> Files:
    """A valid submission: path to bytes."""
    names = CHALLENGE.layouts[layout]
    root = f"{names.root}/" if names.root else ""
    files: Files = {}
    if layout == "seed":
        files["submission.json"] = manifest()
        files["system_description.pdf"] = pdf()
    else:
        files[f"{root}Alpha Lab_System_Description.pdf"] = pdf()
    seed = 0
    for language in LANGUAGES:
        for task in TASKS:
            lines = [line(name, turns(language)) for name in ids(task, language)]
            files[root + names.jsonl_path(language, task)] = jsonl(lines)
            if CHALLENGE.tasks[task].audio_required == "all":
                for name in ids(task, language):
                    for turn in range(1, TURNS + 1):
                        seed += 1
                        files[root + names.audio_path(language, task, name, turn)] = wav(seed=seed)
    return files


def inputs(layout: str = "seed", *, labels: bool = True, audio: bool = False) -> Files:
    """What the organisers give for `submission`; with ``audio`` the user's WAVs too."""
    names = CHALLENGE.layouts[layout]
    files: Files = {}
    for language in LANGUAGES:
        for task in TASKS:
            lines: list[object] = []
            for name in ids(task, language):
                rows: list[dict[str, object]] = []
                for n in range(TURNS):
                    row: dict[str, object] = {"turn_id": n + 1}
                    if labels:
                        row |= {"text": USERS[language][n], "emotion": EMOTIONS[n]}
                    if audio:
                        row["split_audio_file"] = f"{names.names[task]}/{name}_{n + 1}.wav"
                        files[f"{language}/{names.names[task]}/{name}_{n + 1}.wav"] = wav(0.25, seed=n)
                    rows.append(row)
                lines.append(line(name, rows))
            files[names.jsonl_path(language, task)] = jsonl(lines)
    return files


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 11, 20, 0, 0, 0)), data, method)
    return out.getvalue()


def tarred(files: Mapping[str, bytes], *, mode: str = "w", fmt_: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=fmt_) as archive:  # type: ignore[call-overload]
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
