"""A layer that climbs out, ten thousand layers, a bomb, two hundred gigabytes, a layer that is another one."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from random import Random


def make(subjects: Path, random: Random) -> None:
    up, link = tarfile.TarInfo("../../etc/cron.d/x"), tarfile.TarInfo("x")
    up.size, link.type, link.linkname = 1, tarfile.LNKTYPE, "../../etc/passwd"
    _archive(subjects / "traversal.tar", [_tar([(up, b"x")])])
    _archive(subjects / "link.tar", [_tar([(link, b"")])])
    _archive(subjects / "many.tar", [_tar([])], times=10_000)
    zeros = tarfile.TarInfo("zeros")
    zeros.size = 80 << 20
    layer = _tar([(zeros, bytes(zeros.size))])
    _archive(subjects / "bomb.tar", [layer], packed=True)
    _archive(subjects / "lies.tar", [_tar([])], digest="0" * 64)
    big = tarfile.TarInfo("0/layer.tar")
    big.size = 200 << 30
    (subjects / "huge.tar").write_bytes(big.tobuf() + bytes(random.randbytes(1024)))


def _tar(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry, data in members:
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _archive(path: Path, layers: list[bytes], *, times: int = 1, packed: bool = False, digest: str = "") -> None:
    """A docker-archive; every layer stands ``times`` times in its list."""
    digests = [f"sha256:{digest or hashlib.sha256(layer).hexdigest()}" for layer in layers] * times
    document = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]}}
    config = json.dumps({**document, "rootfs": {"type": "layers", "diff_ids": digests}}).encode()
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": None, "Layers": names * times}]).encode()
    members = [("config.json", config), ("manifest.json", manifest)]
    members += [(name, gzip.compress(layer) if packed else layer) for name, layer in zip(names, layers, strict=True)]
    entries = []
    for name, data in members:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        entries.append((entry, data))
    path.write_bytes(_tar(entries))
