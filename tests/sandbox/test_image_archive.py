"""Images written by hand: same inputs, same bytes; the id is the config's; a changed archive is noticed."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.sandbox.image_archive import Entry, ImageConfig, Layer, verify_archive, write_image

CONFIG = ImageConfig(env={"B": "2", "A": "1"}, entrypoint=("/run.sh",), workdir="/tmp", labels={"k": "v"})


def tree(folder: Path) -> Path:
    (folder / "b" / "c").mkdir(parents=True)
    (folder / "b" / "c" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "b" / "c" / "run.sh").chmod(0o700)
    (folder / "a.txt").write_bytes(b"x" * 1000)
    (folder / "b" / "link").symlink_to("../a.txt")
    (folder / ("long" * 40)).write_bytes("名".encode())
    return folder


def base(path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("etc/base")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"base"))
    return path


def layer_of(archive: Path, index: int) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(archive) as outer:
        stream = outer.extractfile(f"{index:02d}/layer.tar")
        assert stream is not None
        with tarfile.open(fileobj=stream) as inner:
            return {member.name: member for member in inner}


def test_same_inputs_give_the_same_bytes_whatever_the_times_and_owners(tmp_path: Path) -> None:
    base_tar = base(tmp_path / "base.tar")
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    (two / "a.txt").touch()
    (two / "b" / "c" / "run.sh").chmod(0o755)
    ids = [
        write_image(base_tar, [Layer.from_tree(folder, "/opt/x")], CONFIG, tmp_path / f"{folder.name}.tar")
        for folder in (one, two)
    ]
    assert ids[0] == ids[1]
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert verify_archive(tmp_path / "one.tar") == ids[0]


def test_one_changed_byte_gives_another_id(tmp_path: Path) -> None:
    ids = {
        write_image(None, [Layer.from_files({"opt/f": (data, mode)})], CONFIG, tmp_path / "i.tar")
        for data, mode in ((b"a", 0o644), (b"b", 0o644), (b"a", 0o755))
    }
    assert len(ids) == 3


def test_layer_has_parents_first_fixed_owner_modes_links_and_long_names(tmp_path: Path) -> None:
    write_image(None, [Layer.from_tree(tree(tmp_path / "t"), "opt/x")], CONFIG, tmp_path / "i.tar")
    members = layer_of(tmp_path / "i.tar", 0)
    names = list(members)
    assert names.index("opt") < names.index("opt/x") < names.index("opt/x/b") < names.index("opt/x/b/c/run.sh")
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 1764000000)}
    assert (members["opt/x/b/c/run.sh"].mode, members["opt/x/a.txt"].mode) == (0o755, 0o644)
    assert members["opt/x/b/link"].linkname == "../a.txt"
    assert f"opt/x/{'long' * 40}" in names


def test_the_archive_is_what_an_engine_loads(tmp_path: Path) -> None:
    files = Layer.from_files({"/run.sh": (b"#!/bin/sh\n", 0o755)})
    image_id = write_image(base(tmp_path / "b.tar"), [files], CONFIG, tmp_path / "i.tar")
    with tarfile.open(tmp_path / "i.tar") as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = json.load(archive.extractfile(manifest[0]["Config"]))  # type: ignore[arg-type]
    assert manifest[0]["Config"] == f"{image_id.removeprefix('sha256:')}.json"
    assert config["config"]["Env"] == ["A=1", "B=2"]
    assert config["config"]["Entrypoint"] == ["/run.sh"]
    assert len(config["rootfs"]["diff_ids"]) == len(manifest[0]["Layers"]) == 2


def test_a_changed_layer_is_noticed(tmp_path: Path) -> None:
    archive = tmp_path / "i.tar"
    write_image(None, [Layer.from_files({"f": (b"honest-bytes", 0o644)})], CONFIG, archive)
    archive.write_bytes(archive.read_bytes().replace(b"honest-bytes", b"forged-bytes"))
    with pytest.raises(UsageError, match="not those that its config names") as caught:
        verify_archive(archive)
    assert caught.value.code == "E_IMG_ARCHIVE"


@pytest.mark.parametrize("data", [b"", b"not a tar", b"\0" * 20_000])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "i.tar").write_bytes(data)
    with pytest.raises(UsageError, match="not a docker-archive"):
        verify_archive(tmp_path / "i.tar")


def test_a_missing_input_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        write_image(tmp_path / "absent.tar", [], CONFIG, tmp_path / "out" / "i.tar")
    with pytest.raises(UsageError, match="gone"):
        write_image(None, [Layer({"f": Entry(tmp_path / "gone")})], CONFIG, tmp_path / "out" / "i.tar")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.engine
def test_the_engine_gives_the_same_id(tmp_path: Path) -> None:
    from harness.sandbox.engine import connect

    files = Layer.from_files({"/hello": (b"hello\n", 0o644)})
    image_id = write_image(base(tmp_path / "b.tar"), [files], CONFIG, tmp_path / "i.tar")
    engine = connect()
    with (tmp_path / "i.tar").open("rb") as archive:
        engine.load(archive)
    assert engine.image_id(image_id) == image_id
