"""Archives: what ordinary tools write is accepted, what two readers could read differently is refused, and nothing
is ever written outside the private folder."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import subprocess
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import made
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_archives import directory_at, edited, member, pax, tar_header, zip_member

from harness.challenge.reading import ReadLimits
from harness.documents.codes import all_codes
from harness.submission import check
from harness.submission.readers.archive import unpack
from harness.submission.readers.refusal import Refusal

LIMITS = made.CHALLENGE.read_limits
SMALL = {"zh/task2.jsonl": b"{}\n" * 50, "zh/task4/a_1_response.wav": bytes(range(256)) * 40}


def unpacked(tmp_path: Path, name: str, data: bytes, limits: ReadLimits = LIMITS) -> dict[str, bytes]:
    """What arrives in the private folder; its neighbour must stay as it was."""
    archive, target, neighbour = tmp_path / name, tmp_path / "in/private", tmp_path / "in/neighbour"
    archive.write_bytes(data)
    target.mkdir(parents=True)
    neighbour.write_bytes(b"untouched")
    descriptor = os.open(archive, os.O_RDONLY)
    try:
        unpack(descriptor, name, target, limits)
    finally:
        os.close(descriptor)
        assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["neighbour", "private"]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "in"])
        assert neighbour.read_bytes() == b"untouched"
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def refused(tmp_path: Path, name: str, data: bytes, limits: ReadLimits = LIMITS) -> str:
    with pytest.raises(Refusal) as caught:
        unpacked(tmp_path, name, data, limits)
    return caught.value.code


# ------------------------------------------------------------------------------------------ what must be read


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_the_standard_library_arrives_whole(tmp_path: Path, method: int) -> None:
    assert unpacked(tmp_path, "a.zip", made.zipped(SMALL, method=method)) == SMALL


@pytest.mark.parametrize("zip64", [False, True])
def test_a_streamed_zip_with_data_descriptors_arrives_whole(tmp_path: Path, zip64: bool) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, block: object) -> int:
            self.data += bytes(block)  # type: ignore[call-overload]
            return len(bytes(block))  # type: ignore[call-overload]

    out, files = Pipe(), {**SMALL, "zh/empty.txt": b""}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            with archive.open(path, "w", force_zip64=zip64) as member:
                member.write(data)
    assert unpacked(tmp_path, "a.zip", bytes(out.data)) == files


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(("mode", "name"), [("w", "a.tar"), ("w:gz", "a.tar.gz"), ("w:gz", "a.tgz")])
def test_a_tar_of_every_common_form_arrives_whole(tmp_path: Path, form: int, mode: str, name: str) -> None:
    files = {**SMALL, "deep/" + "d" * 70 + "/" + "n" * 90: b"long", "zh/名.txt": b"utf-8"}
    assert unpacked(tmp_path, name, made.tarred(files, mode=mode, fmt_=form)) == files


def test_the_tar_program_s_leading_dot_is_taken_off(tmp_path: Path) -> None:
    made.write(tmp_path / "src", SMALL)
    data = subprocess.run(["tar", "-C", tmp_path / "src", "-cf", "-", "."], capture_output=True, check=True).stdout
    home = tmp_path / "home"
    home.mkdir()
    assert unpacked(home, "a.tar", data) == SMALL


@pytest.mark.parametrize("layout", ["seed", "release"])
@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_an_archive_and_its_folder_get_the_same_report(tmp_path: Path, layout: str, form: str) -> None:
    files = made.submission(layout)
    files[next(path for path in files if path.endswith("T3.jsonl") or path.endswith("task3.jsonl"))] += b"{]\n"
    data = made.zipped(files) if form == "zip" else made.tarred(files, mode="w:gz" if form == "tar.gz" else "w")
    (tmp_path / f"a.{form}").write_bytes(data)
    folder = made.write(tmp_path / "folder", files)
    from_folder = check(folder, made.CHALLENGE)
    from_archive = check(tmp_path / f"a.{form}", made.CHALLENGE, work=tmp_path / "work")
    assert from_archive.report.findings == from_folder.report.findings != ()
    assert from_archive.submission == from_folder.submission
    assert from_archive.root is not None
    assert from_archive.root.is_relative_to(tmp_path / "work")
    assert from_folder.root is not None
    assert {p.name for p in from_archive.root.rglob("*")} == {p.name for p in from_folder.root.rglob("*")}


def test_without_a_work_folder_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    (tmp_path / "a.zip").write_bytes(made.zipped(made.submission("release")))
    outcome = check(tmp_path / "a.zip", made.CHALLENGE)
    assert outcome.report.valid
    assert outcome.root is None
    assert list(scratch.iterdir()) == []


def test_one_wrapping_folder_is_taken_off_and_no_second(tmp_path: Path) -> None:
    files = made.submission()
    (tmp_path / "one.zip").write_bytes(made.zipped({f"up/{path}": data for path, data in files.items()}))
    (tmp_path / "two.zip").write_bytes(made.zipped({f"a/b/{path}": data for path, data in files.items()}))
    one = check(tmp_path / "one.zip", made.CHALLENGE).report
    assert (one.valid, [f.code for f in one.findings]) == (True, ["W_ARC_WRAPPED"])
    assert [f.code for f in check(tmp_path / "two.zip", made.CHALLENGE).report.findings] == ["E_LAYOUT_UNKNOWN"]


def test_junk_is_left_out_by_exact_name(tmp_path: Path) -> None:
    junk = {"__MACOSX/zh/._task2.jsonl": b"x", "zh/.DS_Store": b"x", "zh/._a": b"x", "Thumbs.db": b"x"}
    assert unpacked(tmp_path, "a.zip", made.zipped({**SMALL, **junk})) == SMALL
    near = {"zh/DS_Store": b"x", "zh/_task2.jsonl": b"x"}
    other = tmp_path / "other"
    other.mkdir()
    assert unpacked(other, "b.zip", made.zipped({**SMALL, **near})) == {**SMALL, **near}


# ------------------------------------------------------------------------------------------ what must be refused

NAMES = {
    "../x": "E_ARC_PATH",
    "zh/../../x": "E_ARC_PATH",
    "/abs/x": "E_ARC_PATH",
    "//x": "E_ARC_PATH",
    "a//b": "E_ARC_PATH",
    "a/./b": "E_ARC_PATH",
    "x/../a": "E_ARC_PATH",
    "././a": "E_ARC_PATH",
    "..": "E_ARC_PATH",
    "a\\b": "E_ARC_PATH",
    "C:x": "E_ARC_PATH",
    "a\nb": "E_ARC_NAME",
    "a\rb": "E_ARC_NAME",
    "a\x1b[2Jb": "E_ARC_NAME",
    "a\x7fb": "E_ARC_NAME",
    "a\u202eb": "E_ARC_NAME",
    "nul.wav": "E_NAME",
    "a.": "E_NAME",
    "n" * 129: "E_NAME",
    "d/" * 10 + "n" * 120 + "/" + "m" * 120: "E_NAME",
    "d/" * 300 + "x": "E_ARC_COUNT",
}


@pytest.mark.parametrize(("name", "code"), NAMES.items(), ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_names_that_leave_or_lie_are_refused(tmp_path: Path, name: str, code: str, form: str) -> None:
    files = {**SMALL, name: b"x"}
    data = made.zipped(files) if form == "zip" else made.tarred(files)
    assert refused(tmp_path, f"a.{form}", data) == code


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    data = made.zipped({"zh/aaaa": b"x"}).replace(b"zh/aaaa", b"zh/\xc3\xc3\xff\xfe")
    assert refused(tmp_path, "a.zip", data) == "E_ARC_NAME"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("A.wav", "a.wav"), "E_ARC_COLLIDE"),
        (("\u00e9", "e\u0301"), "E_ARC_COLLIDE"),
        (("a", "a/b"), "E_ARC_COLLIDE"),
        (("a/b", "a"), "E_ARC_COLLIDE"),
        (("A/b", "a/c"), "E_ARC_COLLIDE"),
        (("a", "a"), "E_ARC_DUP"),
    ],
)
@pytest.mark.parametrize("form", ["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide_are_refused(tmp_path: Path, names: tuple[str, str], code: str, form: str) -> None:
    out = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(out, "w") as archive:
            for number, name in enumerate(names):
                archive.writestr(name, str(number))
    else:
        with tarfile.open(fileobj=out, mode="w") as tar:
            for number, name in enumerate(names):
                info = tarfile.TarInfo(name)
                info.size = 1
                tar.addfile(info, io.BytesIO(b"%d" % number))
    assert refused(tmp_path, f"a.{form}", out.getvalue()) == code


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_zip_member_that_is_no_regular_file_is_refused(tmp_path: Path, kind: int) -> None:
    assert refused(tmp_path, "a.zip", zip_member("zh/x", kind | 0o777)) == "E_ARC_TYPE"


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"Z"])
def test_a_tar_member_that_is_no_regular_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("zh/x")
        info.type, info.linkname = kind, "../../neighbour"
        tar.addfile(info)
    assert refused(tmp_path, "a.tar", out.getvalue()) == "E_ARC_TYPE"


def test_a_link_with_a_long_target_is_refused_too(tmp_path: Path) -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as tar:
            info = tarfile.TarInfo("zh/x")
            info.type, info.linkname = tarfile.SYMTYPE, "/" + "l" * 200
            tar.addfile(info)
        home = tmp_path / str(form)
        home.mkdir()
        assert refused(home, "a.tar", out.getvalue()) in {"E_ARC_TYPE", "E_ARC_MALFORMED"}


def _crc_flip(data: bytes) -> bytes:
    return edited(data, 46, bytes([data[46] ^ 1]))


def _unicode_path() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("zh/a")
        info.extra = struct.pack("<HHBI", 0x7075, 9, 1, 0) + b"zh/b"
        archive.writestr(info, b"x")
    return out.getvalue()


def _overlap() -> bytes:
    """One member's data under five names of the directory."""
    data = made.zipped({"a1": b"x" * 100}, method=zipfile.ZIP_STORED)
    at = directory_at(data)
    entry, end = data[at:-22], data[-22:]
    entries = b"".join(entry.replace(b"a1", b"a%d" % number) for number in range(1, 6))
    tail = end[:8] + struct.pack("<2H2I", 5, 5, len(entries), at) + end[20:]
    return data[:at] + entries + tail


def _nested() -> bytes:
    """The second member's header lies inside the first one's stored data."""
    inner = made.zipped({"b": b"y" * 10}, method=zipfile.ZIP_STORED)
    local = inner[: directory_at(inner)]
    data = made.zipped({"a": local + b"z" * 20}, method=zipfile.ZIP_STORED)
    at = directory_at(data)
    second = edited(inner[directory_at(inner) : -22], 42, struct.pack("<I", data.index(local)))
    entries = data[at:-22] + second
    return data[:at] + entries + data[-22:-14] + struct.pack("<2H2IH", 2, 2, len(entries), at, 0)


ZIP = made.zipped(SMALL, method=zipfile.ZIP_STORED)
DEFLATED = made.zipped(SMALL)
ZIP_FAULTS: list[tuple[str, Callable[[], bytes], str]] = [
    ("local name differs", lambda: edited(ZIP, 30, b"en"), "E_ARC_MALFORMED"),
    ("local size differs", lambda: edited(ZIP, 22, b"\x01"), "E_ARC_MALFORMED"),
    ("local method differs", lambda: edited(ZIP, 8, b"\x08"), "E_ARC_MALFORMED"),
    ("stored data flipped", lambda: _crc_flip(ZIP), "E_ARC_CRC"),
    ("deflated data flipped", lambda: _crc_flip(DEFLATED), "E_ARC_CRC"),
    ("prefix", lambda: b"junk" + ZIP, "E_ARC_MALFORMED"),
    ("suffix", lambda: ZIP + b"junk", "E_ARC_MALFORMED"),
    ("two end records", lambda: ZIP + ZIP[-22:], "E_ARC_MALFORMED"),
    ("two zips", lambda: ZIP + ZIP, "E_ARC_MALFORMED"),
    ("encrypted", lambda: edited(edited(ZIP, 6, b"\x01"), directory_at(ZIP) + 8, b"\x01"), "E_ARC_METHOD"),
    ("bzip2", lambda: made.zipped(SMALL, method=zipfile.ZIP_BZIP2), "E_ARC_METHOD"),
    ("lzma", lambda: made.zipped(SMALL, method=zipfile.ZIP_LZMA), "E_ARC_METHOD"),
    ("no member", lambda: made.zipped({}), "E_ARC_EMPTY"),
    ("a file with a trailing slash", lambda: made.zipped({"zh/task2.jsonl/": b"data"}), "E_ARC_PATH"),
    ("unicode path says another name", _unicode_path, "E_ARC_MALFORMED"),
    ("five names for one member", _overlap, "E_ARC_OVERLAP"),
    ("a member inside another", _nested, "E_ARC_OVERLAP"),
    ("directory count lies", lambda: edited(ZIP, len(ZIP) - 14, b"\x01\x00\x01\x00"), "E_ARC_MALFORMED"),
]


@pytest.mark.parametrize(("what", "build", "code"), ZIP_FAULTS, ids=[fault[0] for fault in ZIP_FAULTS])
def test_a_zip_that_contradicts_itself_is_refused(
    tmp_path: Path, what: str, build: Callable[[], bytes], code: str
) -> None:
    assert refused(tmp_path, "a.zip", build()) == code


TAR_FAULTS: list[tuple[str, bytes, str]] = [
    ("checksum", edited(member(), 0, b"y"), "E_ARC_MALFORMED"),
    ("no ustar mark", edited(member(), 257, b"xxxxx"), "E_ARC_FORMAT"),
    ("bytes after the end", member() + b"x" * 512, "E_ARC_MALFORMED"),
    ("a second archive after the end", member() + member(), "E_ARC_MALFORMED"),
    ("half an end mark", member()[:-512], "E_ARC_TRUNC"),
    ("no end mark", member()[:-1024], "E_ARC_TRUNC"),
    ("pax path twice", pax(("path", "zh/b"), ("path", "zh/c")), "E_ARC_MALFORMED"),
    ("pax size twice", pax(("size", "1"), ("size", "2")), "E_ARC_MALFORMED"),
    ("pax linkpath", pax(("linkpath", "../x")), "E_ARC_MALFORMED"),
    ("pax path leaves", pax(("path", "../x")), "E_ARC_PATH"),
    ("global pax path", pax(("path", "zh/b"), kind=b"g"), "E_ARC_MALFORMED"),
    ("pax too long", pax(("comment", "x" * 70_000)), "E_ARC_MALFORMED"),
    ("pax broken", tar_header("pax", 5, b"x") + b"9 a=b".ljust(512, b"\0") + member(), "E_ARC_MALFORMED"),
    (
        "two long names",
        (tar_header("l", 5, b"L") + b"zh/b\0".ljust(512, b"\0")) * 2 + member(),
        "E_ARC_MALFORMED",
    ),
    ("size no octal", tar_header("zh/a", 0, size_field=b"00000000009\0") + bytes(1024), "E_ARC_MALFORMED"),
    ("a folder with data", tar_header("zh/", 5, b"5") + b"x".ljust(512, b"\0") + bytes(1024), "E_ARC_MALFORMED"),
    ("a file with a slash", tar_header("zh/", 0) + bytes(1024), "E_ARC_PATH"),
    ("only an end mark", tar_header("./", 0, b"5") + bytes(1024), "OK"),
    ("sparse, gnu", tar_header("zh/a", 0, b"S") + bytes(1024), "E_ARC_MALFORMED"),
    ("sparse, pax", pax(("GNU.sparse.major", "1"), ("GNU.sparse.realsize", "100")), "E_ARC_TYPE"),
    ("sparse, pax, huge", pax(("GNU.sparse.realsize", str(10 << 30))), "E_ARC_BOMB"),
    ("a huge size", tar_header("zh/a", 0, size_field=b"\x80" + (1 << 50).to_bytes(11, "big")), "E_ARC_BOMB"),
]


@pytest.mark.parametrize(("what", "data", "code"), TAR_FAULTS, ids=[fault[0] for fault in TAR_FAULTS])
def test_a_tar_that_contradicts_itself_is_refused(tmp_path: Path, what: str, data: bytes, code: str) -> None:
    if code == "OK":
        assert unpacked(tmp_path, "a.tar", data) == {}
    else:
        assert refused(tmp_path, "a.tar", data) == code


def test_harmless_pax_records_are_read_past(tmp_path: Path) -> None:
    data = pax(("mtime", "1.5"), ("path", "zh/b"), ("SCHILY.xattr.user.a", "b"))
    assert unpacked(tmp_path, "a.tar", data) == {"zh/b": b"x"}


def test_a_sparse_member_of_ten_gibibytes_is_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as hole:
        hole.truncate(10 << 30)
    packed = subprocess.run(
        ["tar", "-C", tmp_path, "--sparse", "--format=gnu", "-czf", "-", "hole"], capture_output=True, check=True
    ).stdout
    assert len(packed) < 1000
    home = tmp_path / "home"
    home.mkdir()
    started = time.monotonic()
    assert refused(home, "a.tar.gz", packed) == "E_ARC_BOMB"
    assert time.monotonic() - started < 5
    assert sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) < 1 << 20


def test_bombs_are_refused_before_or_while_they_grow(tmp_path: Path) -> None:
    low = replace(LIMITS, inflated_bytes=1 << 20, ratio_from_bytes=1 << 18)
    zeros = {f"z{number}": bytes(1 << 18) for number in range(5)}
    for place, (name, data, limits) in enumerate(
        [
            ("total.zip", made.zipped(zeros, method=zipfile.ZIP_STORED), replace(low, ratio_from_bytes=1 << 40)),
            ("ratio.zip", made.zipped({"z": bytes(1 << 19)}), low),
            ("ratio.tar.gz", made.tarred({"z": bytes(1 << 22)}, mode="w:gz"), replace(low, inflated_bytes=1 << 30)),
            ("total.tar", made.tarred({f"z{n}": bytes(1 << 20) for n in range(4)}), low),
        ]
    ):
        home = tmp_path / str(place)
        home.mkdir()
        assert refused(home, name, data, limits) == "E_ARC_BOMB", name
        assert sum(p.stat().st_size for p in (home / "in/private").rglob("*") if p.is_file()) <= 2 << 20


def test_a_member_that_inflates_beyond_its_listed_size_is_stopped(tmp_path: Path) -> None:
    data = made.zipped({"a": bytes(1 << 20)})
    at = directory_at(data)
    for place in (22, at + 24):
        data = edited(data, place, struct.pack("<I", 10))
    assert refused(tmp_path, "a.zip", data) == "E_ARC_CRC"
    assert sum(p.stat().st_size for p in (tmp_path / "in/private").rglob("*") if p.is_file()) <= 10


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_too_many_members_are_refused(tmp_path: Path, form: str) -> None:
    limits = replace(LIMITS, members=50)
    files = {f"f{number}": b"" for number in range(51)}
    data = made.zipped(files) if form == "zip" else made.tarred(files, mode="w:gz" if form == "tar.gz" else "w")
    assert refused(tmp_path, f"a.{form}", data, limits) == "E_ARC_COUNT"


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("sixteenth", range(16))
def test_a_cut_archive_is_refused_and_leaves_nothing(tmp_path: Path, form: str, sixteenth: int) -> None:
    files = made.submission()
    whole = made.zipped(files) if form == "zip" else made.tarred(files, mode="w:gz" if form == "tar.gz" else "w")
    (tmp_path / f"a.{form}").write_bytes(whole[: len(whole) * sixteenth // 16])
    outcome = check(tmp_path / f"a.{form}", made.CHALLENGE, work=tmp_path / "work")
    wanted = "E_ARC_TRUNC" if sixteenth else "E_ARC_EMPTY"
    assert [f.code for f in outcome.report.findings] == [wanted]
    assert outcome.submission is outcome.root is None
    assert not (tmp_path / "work").exists() or list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", b"7z\xbc\xaf\x27\x1c" + bytes(100)),
        ("a.zip", b"Rar!\x1a\x07\x00" + bytes(100)),
        ("a.zip", made.tarred(SMALL)),
        ("a.zip", made.tarred(SMALL, mode="w:gz")),
        ("a.tar", made.zipped(SMALL)),
        ("a.tar", made.tarred(SMALL, mode="w:gz")),
        ("a.tar.gz", made.tarred(SMALL)),
        ("a.gz", gzip.compress(b"x", mtime=0)),
        ("a.tar.xz", made.tarred(SMALL, mode="w:xz")),
        ("task2.jsonl", b"{}\n"),
        ("a.zip", b"x"),
    ],
)
def test_another_format_is_refused_by_its_bytes_and_name(tmp_path: Path, name: str, data: bytes) -> None:
    assert refused(tmp_path, name, data) == "E_ARC_FORMAT"


def test_an_archive_beyond_the_cap_is_refused_before_reading(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.zip", ZIP, replace(LIMITS, archive_bytes=len(ZIP) - 1)) == "E_ARC_SIZE"
    home = tmp_path / "home"
    home.mkdir()
    assert unpacked(home, "a.zip", ZIP, replace(LIMITS, archive_bytes=len(ZIP))) == SMALL


def test_archives_inside_are_not_opened(tmp_path: Path) -> None:
    files = {**made.submission(), "zh/more.zip": made.zipped({"../x": b"x"})}
    (tmp_path / "a.zip").write_bytes(made.zipped(files))
    report = check(tmp_path / "a.zip", made.CHALLENGE).report
    assert [(f.code, f.file) for f in report.findings] == [("E_LAYOUT_EXTRA", "zh/more.zip")]


def test_an_archive_that_changes_meanwhile_is_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made.zipped({f"f{n}": os.urandom(1 << 20) for n in range(20)}, method=zipfile.ZIP_STORED))
    stop = threading.Event()

    def touch() -> None:
        while not stop.is_set():
            os.utime(path)

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        report = check(path, made.CHALLENGE).report
    finally:
        stop.set()
        writer.join()
    assert [f.code for f in report.findings] == ["E_CHANGED"]


# ------------------------------------------------------------------------------------------ anything at all


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_a_mutated_archive_is_read_or_refused_and_writes_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory, form: str, data: st.DataObject
) -> None:
    whole = ZIP if form == "zip" else made.tarred(SMALL, mode="w:gz" if form == "tar.gz" else "w")
    mutated = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "insert", "copy"]))
        if kind == "set":
            mutated[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del mutated[at : at + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            mutated[at:at] = data.draw(st.binary(min_size=1, max_size=40))
        else:
            mutated[at:at] = mutated[at : at + data.draw(st.integers(1, 200))]
        if not mutated:
            break
    home = tmp_path_factory.mktemp("mutated")
    try:
        found = unpacked(home, f"a.{form}", bytes(mutated))
    except Refusal as refusal:
        assert refusal.code in all_codes()
        assert refusal.code.startswith(("E_ARC_", "E_NAME"))
    else:
        assert set(found) <= {path for path in found if not path.startswith(("/", ".."))}
