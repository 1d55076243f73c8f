"""Archives made member by member, for what the standard library would not write."""

from __future__ import annotations

import io
import struct
import zipfile


def zip_member(name: str, mode: int, data: bytes = b"/etc/passwd") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, data)
    return out.getvalue()


def pax(*records: tuple[str, str], kind: bytes = b"x") -> bytes:
    """A tar whose one member has these pax records."""
    body = b""
    for key, value in records:
        text = f" {key}={value}\n".encode()
        length = len(text) + 1
        while len(str(length)) + len(text) != length:
            length = len(str(length)) + len(text)
        body += str(length).encode() + text
    return tar_header("pax", len(body), kind) + body.ljust(-(-len(body) // 512) * 512, b"\0") + member()


def member(name: str = "zh/a", data: bytes = b"x") -> bytes:
    return tar_header(name, len(data)) + data.ljust(512, b"\0") + bytes(1024)


def tar_header(name: str, size: int, kind: bytes = b"0", *, size_field: bytes | None = None) -> bytes:
    raw = bytearray(512)
    raw[: len(name)] = name.encode()
    raw[100:108], raw[108:116], raw[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    raw[124:136] = size_field or b"%011o\0" % size
    raw[136:148], raw[148:156], raw[156:157] = b"00000000000\0", b" " * 8, kind
    raw[257:265] = b"ustar\x0000"
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def edited(data: bytes, at: int, new: bytes) -> bytes:
    """``data`` with the bytes at ``at`` replaced."""
    return data[:at] + new + data[at + len(new) :]


def directory_at(data: bytes) -> int:
    """Where a zip's central directory starts."""
    at: int = struct.unpack_from("<I", data, len(data) - 6)[0]
    return at
