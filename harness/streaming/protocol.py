"""The wire between the harness and a real-time participant: docs/reference/stream-protocol.md says it for people.

Every message is an eight-byte header and a payload. The header is big-endian: one byte of kind, one byte 0, two bytes
with the payload's length, four bytes with an index. Kind ``A`` carries one frame of audio (20 ms of 16 kHz mono PCM16,
little-endian, 640 bytes); kind ``J`` carries one JSON object (schemas/stream-message).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.resources import schema_path

VERSION = 1
RATE_HZ = 16_000
FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
FRAME_S = FRAME_MS / 1000
AUDIO, CONTROL = ord("A"), ord("J")
CONTROL_BYTES = 1024
_HEADER = struct.Struct(">BBHI")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of audio. ``index`` is, from the harness, the frame's place in the input; from a participant, the
    last input frame that it had heard when it made this one. ``pcm`` is 640 bytes."""

    index: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """One JSON message; ``type`` decides which other keys it has."""

    type: str
    values: dict[str, Any]


class ProtocolFault(Exception):
    """What came is not the protocol. ``str(error)`` is ours and safe to print: it quotes nothing of the sender."""


def encode_frame(frame: Frame) -> bytes:
    """The bytes of one frame."""
    return _HEADER.pack(AUDIO, 0, len(frame.pcm), frame.index) + frame.pcm


def encode_control(type_: str, **values: Any) -> bytes:
    """The bytes of one control message; equal messages have equal bytes."""
    payload = json.dumps({"type": type_, **values}, separators=(",", ":"), sort_keys=True).encode("ascii")
    return _HEADER.pack(CONTROL, 0, len(payload), 0) + payload


class Decoder:
    """Bytes from a participant to messages, however they are cut. Holds at most one unfinished message."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of a message whose end has not come."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame | Control]:
        """The messages that ``data`` completes, in order. Raises ProtocolFault; nothing after a fault is read."""
        buffer = self._rest + data
        found: list[Frame | Control] = []
        place = 0
        while len(buffer) - place >= _HEADER.size:
            kind, zero, length, index = _HEADER.unpack_from(buffer, place)
            _check_header(kind, zero, length)
            start, end = place + _HEADER.size, place + _HEADER.size + length
            if len(buffer) < end:
                break
            payload = buffer[start:end]
            found.append(Frame(index, payload) if kind == AUDIO else _control(payload))
            place = end
        self._rest = buffer[place:]
        return found


def _check_header(kind: int, zero: int, length: int) -> None:
    if kind not in (AUDIO, CONTROL) or zero:
        raise ProtocolFault("a message starts with neither A nor J and a zero byte")
    if kind == AUDIO and length != FRAME_BYTES:
        raise ProtocolFault(f"an audio frame has {length} bytes instead of {FRAME_BYTES}")
    if kind == CONTROL and not 0 < length <= CONTROL_BYTES:
        raise ProtocolFault(f"a control message has {length} bytes; at most {CONTROL_BYTES} are allowed")


def _control(payload: bytes) -> Control:
    try:
        plain = json.loads(payload.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ProtocolFault("a control message is not JSON in ASCII") from error
    if not _validator().is_valid(plain):
        raise ProtocolFault("a control message is none of those that a participant may send")
    return Control(plain.pop("type"), plain)


@cache
def _validator() -> Any:
    import jsonschema_rs

    schema = json.loads(schema_path("stream-message").read_text("utf-8"))
    return jsonschema_rs.validator_for({"$ref": "#/$defs/from_participant", "$defs": schema["$defs"]})
