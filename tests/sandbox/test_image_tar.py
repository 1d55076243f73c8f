"""`docker save` tars: real ones load under their own id, changed ones are refused before the engine sees them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.sandbox import Engine
from harness.sandbox.image_archive import ImageConfig, Layer, write_image
from harness.sandbox.image_tar import ArchiveRefused, load_image_tar
from harness.sandbox.output_store import output_store

pytestmark = pytest.mark.engine
Members = dict[str, bytes | tuple[bytes, str]]  # data, or (type, link target)


def tar_of(members: Members) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, what in members.items():
            entry = tarfile.TarInfo(name)
            if isinstance(what, bytes):
                entry.size = len(what)
                tar.addfile(entry, io.BytesIO(what))
            else:
                entry.type, entry.linkname = what
                tar.addfile(entry)
    return target.getvalue()


def image_of(layer: bytes, **changes: object) -> Members:
    """The members of a sound archive of one layer, with some of manifest and config replaced."""
    diff_id = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    config.update(changes.get("config", {}))  # type: ignore[call-overload]
    manifest = {"Config": "c.json", "RepoTags": None, "Layers": ["l/layer.tar"], **changes.get("manifest", {})}  # type: ignore[dict-item]
    return {
        "c.json": json.dumps(config).encode(),
        "l/layer.tar": layer,
        "manifest.json": json.dumps([manifest]).encode(),
    }


SOUND = tar_of({"hello.txt": b"hello"})


@pytest.fixture
def load(engine: Engine, tmp_path: Path) -> Callable[[bytes], str]:
    def run(data: bytes) -> str:
        path = tmp_path / "image.tar"
        path.write_bytes(data)
        image_id = load_image_tar(engine, path)
        engine.api.remove_image(image_id, force=True)
        return image_id

    return run


def test_our_own_archives_and_what_docker_saved_load_under_the_same_id(engine: Engine, tmp_path: Path) -> None:
    """An image that the engine has made (by a commit, which costs less than a build) and saved in its own way."""
    layers = [Layer.from_files({"a": (b"x", 0o644)}), Layer.from_files({"f": (b"new", 0o644)})]
    base = write_image(None, layers, ImageConfig(cmd=("/a",)), tmp_path / "image.tar")
    assert load_image_tar(engine, tmp_path / "image.tar") == base
    container = engine.api.create_container(base, "/a")["Id"]
    image_id: str = engine.api.commit(container, changes=["ENV A=b"])["Id"]
    engine.api.remove_container(container)
    with (tmp_path / "saved.tar").open("wb") as saved:
        for chunk in engine.api.get_image(image_id):
            saved.write(chunk)
    engine.api.remove_image(image_id, force=True)  # and what it stands on
    assert engine.inspect_image(image_id) is None and engine.inspect_image(base) is None
    assert load_image_tar(engine, tmp_path / "saved.tar") == image_id
    assert engine.inspect_image(image_id) is not None
    assert load_image_tar(engine, tmp_path / "saved.tar") == image_id
    engine.api.remove_image(image_id, force=True)


def test_gzipped_layers_and_links_between_layers_load(load: Callable[[bytes], str]) -> None:
    members = image_of(SOUND)
    members["l/layer.tar"] = gzip.compress(SOUND)
    assert load(tar_of(members)).startswith("sha256:")
    members = image_of(SOUND)
    members["real/layer.tar"] = members.pop("l/layer.tar")
    members["l/layer.tar"] = (tarfile.SYMTYPE, "../real/layer.tar")
    assert load(tar_of(members)).startswith("sha256:")


def _large_header() -> bytes:
    entry = tarfile.TarInfo("x")
    entry.pax_headers = {"comment": "y" * (2 << 20)}
    return entry.tobuf(tarfile.PAX_FORMAT) + b"\0" * 1024


def _chain(kind: bytes, body: bytes, count: int = 4000) -> bytes:
    """Extended headers that follow each other; tarfile recurses into each."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, len(body)
    return (entry.tobuf(tarfile.USTAR_FORMAT) + body.ljust(512, b"\0")) * count


def _sparse(size: int) -> bytes:
    """One member of ``size`` zeros in the old GNU form: 512 bytes."""
    entry = tarfile.TarInfo("zeros")
    entry.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410], header[483:495] = b"%011o\0" % size, b"%011o\0" % 0, b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"\0" * 1024


def _pax_sparse() -> bytes:
    entry = tarfile.TarInfo("zeros")
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1073741824"}
    return entry.tobuf(tarfile.PAX_FORMAT) + b"\0" * 1024


REFUSED = {
    "long names without end": _chain(tarfile.GNUTYPE_LONGNAME, b"x"),
    "long names without end in a layer": tar_of(image_of(_chain(tarfile.GNUTYPE_LONGNAME, b"x") + SOUND)),
    "extended headers without end": _chain(tarfile.XHDTYPE, b"9 path=b\n"),
    "a header for all that follows": tar_of(image_of(_chain(tarfile.XGLTYPE, b"9 path=b\n", 1) + SOUND)),
    "sparse member": _sparse(1 << 40) + tar_of(image_of(SOUND)),
    "sparse file in a layer": tar_of(image_of(_sparse(1 << 40))),
    "sparse file in a layer, new form": tar_of(image_of(_pax_sparse())),
    "layer inflates without end": tar_of(
        {**image_of(SOUND), "l/layer.tar": gzip.compress(b"\0" * (80 << 20), compresslevel=1)}
    ),
    "rootfs is a list": tar_of(image_of(SOUND, config={"rootfs": [1]})),
    # What only the engine notices is still the archive's fault.
    "config of another shape": tar_of(image_of(SOUND, config={"config": [1]})),
    "architecture is a number": tar_of(image_of(SOUND, config={"architecture": 5})),
    "another operating system": tar_of(image_of(SOUND, config={"os": "windows"})),
    "file where a folder stands": tar_of(image_of(tar_of({"a": b"x", "a/b": b"y"}))),
    "not a tar": b"this is no tar",
    "empty": b"",
    "gzip outside": gzip.compress(tar_of(image_of(SOUND))),
    "no manifest": tar_of({"c.json": b"{}"}),
    "two images": tar_of({**image_of(SOUND), "manifest.json": b"[{}, {}]"}),
    "manifest is not JSON": tar_of({**image_of(SOUND), "manifest.json": b"\xff"}),
    "manifest nests": tar_of({**image_of(SOUND), "manifest.json": b"[" * 100_000}),
    "config missing": tar_of(image_of(SOUND, manifest={"Config": "../etc/passwd"})),
    "layer missing": tar_of(image_of(SOUND, manifest={"Layers": ["none"]})),
    "layers and ids differ": tar_of(image_of(SOUND, manifest={"Layers": []})),
    "changed layer": tar_of({**image_of(SOUND), "l/layer.tar": tar_of({"hello.txt": b"hallo"})}),
    "cut gzip": tar_of({**image_of(SOUND), "l/layer.tar": gzip.compress(SOUND)[:-12]}),
    "member outside": tar_of({**image_of(SOUND), "../x": b""}),
    "absolute member": tar_of({**image_of(SOUND), "/x": b""}),
    "device": tar_of({**image_of(SOUND), "x": (tarfile.CHRTYPE, "")}),
    "link outside": tar_of({**image_of(SOUND), "x": (tarfile.SYMTYPE, "/etc/passwd")}),
    "layer points out": tar_of(image_of(tar_of({"../../x": b""}))),
    "layer links out": tar_of(image_of(tar_of({"x": (tarfile.LNKTYPE, "../../etc/passwd")}))),
    "layer is no tar": tar_of(image_of(b"x" * 600)),
    "huge header in a layer": tar_of(image_of(_large_header())),
    "huge header": _large_header(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_unsound_archives_are_refused(load: Callable[[bytes], str], name: str) -> None:
    with pytest.raises(ArchiveRefused) as caught:
        load(REFUSED[name])
    assert caught.value.finding.code == "E_IMG_ARCHIVE"


def test_a_changed_layer_never_reaches_the_engine(load: Callable[[bytes], str], engine: Engine) -> None:
    members = image_of(tar_of({"new.txt": b"unchanged"}))
    image_id = "sha256:" + hashlib.sha256(members["c.json"]).hexdigest()  # type: ignore[arg-type]
    members["l/layer.tar"] = tar_of({"new.txt": b"CHANGED!!"})
    with pytest.raises(ArchiveRefused):
        load(tar_of(members))
    assert engine.inspect_image(image_id) is None


def test_a_bomb_is_named_as_one(load: Callable[[bytes], str]) -> None:
    with pytest.raises(ArchiveRefused, match="inflates"):
        load(REFUSED["layer inflates without end"])


def test_a_full_disk_is_ours(load: Callable[[bytes], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    with output_store(small, 64 * 1024, 10):
        monkeypatch.setattr(tempfile, "tempdir", str(small))
        with pytest.raises(MachineError) as caught:
            load(tar_of(image_of(tar_of({"x": os.urandom(1 << 20)}))))
    assert caught.value.code == "I_DISK"


# What the reader does with the first file that it opens, as if an archive had found a fault in it.
HOOK = """
import os, signal, sys
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], int):
        %s
if "image_tar_reader.py" in " ".join(sys.orig_argv):
    sys.addaudithook(hook)
"""


@pytest.mark.parametrize(
    ("action", "code", "word"),
    [
        ("signal.raise_signal(signal.SIGSEGV)", "E_IMG_ARCHIVE", "signal 11"),
        ("signal.raise_signal(signal.SIGXCPU)", "E_IMG_ARCHIVE", "processor time"),
        ("os.write(1, b'{\\x1b]0;nonsense\\n')", "E_IMG_ARCHIVE", "nonsense"),
        ("os.write(1, b'[' * 4000 + b'\\n')", "E_IMG_ARCHIVE", "nonsense"),
        ('os.write(1, b\'{"refused": ["E_IMG_SIZE", {"why": 1}]}\\n\')', "E_IMG_ARCHIVE", "nonsense"),
        ("x = 'x' * (2 << 30)", "E_IMG_ARCHIVE", "more memory"),
        ("signal.raise_signal(signal.SIGKILL)", "I_READER", "from outside"),
    ],
)
def test_whatever_an_archive_makes_of_its_reader_has_a_name(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, code: str, word: str
) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK % action)
    (tmp_path / "image.tar").write_bytes(tar_of(image_of(tar_of({"broken.txt": b"x"}))))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    with pytest.raises((ArchiveRefused, MachineError)) as caught:
        load_image_tar(engine, tmp_path / "image.tar")
    found = caught.value.code if isinstance(caught.value, MachineError) else caught.value.finding.code
    assert (found, word in str(caught.value)) == (code, True), str(caught.value)


def test_size_and_layer_caps(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(tar_of(image_of(SOUND)))
    with pytest.raises(ArchiveRefused) as caught:
        load_image_tar(engine, path, max_bytes=len(SOUND) - 1)
    assert caught.value.finding.code == "E_IMG_SIZE"
    bomb = tar_of(
        image_of(SOUND, manifest={"Layers": ["l/layer.tar"] * 200}, config={"rootfs": {"diff_ids": ["x"] * 200}})
    )
    path.write_bytes(bomb)
    with pytest.raises(ArchiveRefused) as caught:
        load_image_tar(engine, path)
    assert caught.value.finding.code == "E_IMG_SIZE"
