"""A folder submission with deliberate mistakes, each with the code that it must meet."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from generator.pdf import text_pdf
from generator.speech import RATE_HZ, read_wav, write_wav

UNKNOWN_ID = "task2_4_en_9999_0001"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One deliberate mistake: what was done, in which file (and line, from 1), and the code that names it."""

    what: str
    code: str
    file: str
    line: int | None = None


def write_broken(source: Path, out: Path, expected: Path) -> list[Mistake]:
    """Copy the correct submission at `source` to `out`, break it, and write the list of mistakes to `expected`."""
    shutil.copytree(source, out)
    mistakes = [make(out) for make in MISTAKES]
    rows = [{"what": each.what, "code": each.code, "file": each.file, "line": each.line} for each in mistakes]
    expected.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return mistakes


# ------------------------------------------------------------------------------------------------ lines of JSON


def _change(path: Path, line: int, change: Callable[[bytes], bytes]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = change(lines[line - 1].rstrip(b"\n")) + b"\n"
    path.write_bytes(b"".join(lines))


def _duplicate_key(root: Path) -> Mistake:
    name = "zh/task2.jsonl"
    _change(root / name, 1, lambda text: text.replace(b'{"turn_id": 1,', b'{"turn_id": 1, "turn_id": 2,', 1))
    return Mistake("a key stands twice in one object", "E_JSON_DUP", name, 1)


def _broken_utf8(root: Path) -> Mistake:
    name = "zh/task2.jsonl"
    _change(root / name, 2, lambda text: text[:-4] + b"\xff" + text[-4:])
    return Mistake("a byte that is no UTF-8", "E_JSON_UTF8", name, 2)


def _not_a_number(root: Path) -> Mistake:
    name = "zh/task3.jsonl"
    _change(root / name, 1, lambda text: text[:-1] + b', "confidence": NaN}')
    return Mistake("NaN, which JSON does not have", "E_JSON_NUM", name, 1)


def _cut_line(root: Path) -> Mistake:
    name = "zh/task3.jsonl"
    _change(root / name, 2, lambda text: text.decode("utf-8")[:60].encode())
    return Mistake("a line cut in the middle", "E_JSON_SYNTAX", name, 2)


def _wrong_turn_order(root: Path) -> Mistake:
    name = "en/task2.jsonl"

    def swap(text: bytes) -> bytes:
        row = json.loads(text.decode("utf-8"))
        row["turns"][0], row["turns"][1] = row["turns"][1], row["turns"][0]
        return json.dumps(row, ensure_ascii=False).encode()

    _change(root / name, 1, swap)
    return Mistake("two turns have changed places", "E_TURN_ORDER", name, 1)


def _unknown_id(root: Path) -> Mistake:
    name = "en/task2.jsonl"
    lines = (root / name).read_text("utf-8").splitlines()
    extra = json.loads(lines[-1]) | {"dialogue_id": UNKNOWN_ID}
    (root / name).write_text("\n".join([*lines, json.dumps(extra)]) + "\n", "utf-8")
    return Mistake("a dialogue that the inputs do not have", "E_ID_UNKNOWN", name, len(lines) + 1)


def _missing_dialogue(root: Path) -> Mistake:
    name = "en/task3.jsonl"
    lines = (root / name).read_text("utf-8").splitlines()
    (root / name).write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    return Mistake("the last dialogue is left out", "E_ID_MISSING", name)


def _unsafe_path(root: Path) -> Mistake:
    name = "en/task4.jsonl"

    def climb(text: bytes) -> bytes:
        row = json.loads(text.decode("utf-8"))
        row["turns"][0]["response_audio"] = "../../../etc/passwd"
        return json.dumps(row, ensure_ascii=False).encode()

    _change(root / name, 1, climb)
    return Mistake("a path that climbs out of the submission", "E_PATH", name, 1)


# ------------------------------------------------------------------------------------------------ audio and layout


def _wav(root: Path, language: str, number: int) -> Path:
    """The number-th reply of task 4, counted over all dialogues in the order of names."""
    return sorted((root / language / "task4").glob("*_response.wav"))[number]


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _missing_wav(root: Path) -> Mistake:
    path = _wav(root, "en", -1)
    path.unlink()
    return Mistake("a reply without its WAV", "E_LAYOUT_MISSING", _name(root, path))


def _lying_header(root: Path) -> Mistake:
    path = _wav(root, "en", 1)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 40, 1 << 30)
    path.write_bytes(data)
    return Mistake("a header that promises a gigabyte of samples", "E_WAV_SIZE", _name(root, path))


def _renamed_flac(root: Path) -> Mistake:
    path = _wav(root, "en", 2)
    soundfile.write(path, read_wav(path), RATE_HZ, format="FLAC")
    return Mistake("FLAC under the name of a WAV", "E_WAV_FORMAT", _name(root, path))


def _silence(root: Path) -> Mistake:
    path = _wav(root, "zh", 1)
    write_wav(path, np.zeros(2 * RATE_HZ))
    return Mistake("two seconds of silence", "E_WAV_SILENT", _name(root, path))


def _stereo(root: Path) -> Mistake:
    path = _wav(root, "zh", 2)
    samples = read_wav(path)
    soundfile.write(path, np.stack([samples, samples], axis=1), RATE_HZ, subtype="PCM_16")
    return Mistake("two channels", "E_WAV_CHANNELS", _name(root, path))


def _symlink(root: Path) -> Mistake:
    path = _wav(root, "zh", 3)
    path.unlink()
    path.symlink_to("/etc/passwd")
    return Mistake("a link to a file of the host", "E_LAYOUT_TYPE", _name(root, path))


def _short_pdf(root: Path) -> Mistake:
    name = "system_description.pdf"
    (root / name).write_bytes(text_pdf([["Only one page."]]))
    return Mistake("a description of one page", "E_PDF_PAGES", name)


def _extra_file(root: Path) -> Mistake:
    name = "en/notes.txt"
    (root / name).write_text("to be removed before handing in\n")
    return Mistake("a file that is no part of the layout", "W_LAYOUT_EXTRA", name)


MISTAKES: tuple[Callable[[Path], Mistake], ...] = (
    _duplicate_key, _broken_utf8, _not_a_number, _cut_line, _wrong_turn_order, _unknown_id, _missing_dialogue,
    _unsafe_path, _missing_wav, _lying_header, _renamed_flac, _silence, _stereo, _symlink, _short_pdf, _extra_file,
)  # fmt: skip
