"""The wire: however bytes are cut, the same messages come out, and nothing that is not the protocol gets through."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.resources import schema_path
from harness.streaming.protocol import (
    CONTROL_BYTES,
    FRAME_BYTES,
    Control,
    Decoder,
    Frame,
    ProtocolFault,
    encode_control,
    encode_frame,
)

FRAMES = st.builds(Frame, st.integers(0, 2**32 - 1), st.binary(min_size=FRAME_BYTES, max_size=FRAME_BYTES))
CONTROLS = st.sampled_from([Control("ready", {"version": 1}), Control("flush", {}), Control("done", {})])
MESSAGES = st.lists(FRAMES | CONTROLS, max_size=5)


def encoded(message: Frame | Control) -> bytes:
    return encode_frame(message) if isinstance(message, Frame) else encode_control(message.type, **message.values)


@given(MESSAGES, st.data())
def test_cutting_changes_nothing(messages: list[Frame | Control], data: st.DataObject) -> None:
    whole = b"".join(encoded(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    decoder = Decoder()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += decoder.feed(whole[start:end])
    assert found == messages
    assert decoder.unfinished_bytes == 0


@given(st.binary(max_size=2000))
def test_any_bytes_give_messages_or_a_fault_and_hold_little(data: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(data)
    except ProtocolFault as fault:
        assert str(fault).isascii()
    else:
        assert decoder.unfinished_bytes < 8 + FRAME_BYTES + CONTROL_BYTES


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"type":"ready"}',
        b'{"type":"ready","version":2}',
        b'{"type":"ready","version":1,"more":1}',
        b'{"type":"hello","version":1,"rate_hz":16000,"frame_ms":20,"max_ahead_frames":1}',
        b'{"type":"flush","at":1}',
        b'{"type":NaN}',
        b"[" * CONTROL_BYTES,
        '{"type":"d\u00f6ne"}'.encode(),
        b"\xff",
    ],
)
def test_control_messages_outside_the_schema_are_faults(payload: bytes) -> None:
    with pytest.raises(ProtocolFault):
        Decoder().feed(struct.pack(">BBHI", ord("J"), 0, len(payload), 0) + payload)


@pytest.mark.parametrize(
    "header", [(ord("B"), 0, 10, 0), (ord("A"), 1, FRAME_BYTES, 0), (ord("A"), 0, 638, 0), (ord("J"), 0, 0, 0),
               (ord("J"), 0, CONTROL_BYTES + 1, 0)],
)  # fmt: skip
def test_a_wrong_header_is_a_fault_before_its_payload_comes(header: tuple[int, int, int, int]) -> None:
    with pytest.raises(ProtocolFault):
        Decoder().feed(struct.pack(">BBHI", *header))


def test_what_the_harness_sends_is_in_the_schema() -> None:
    import jsonschema_rs

    schema = jsonschema_rs.validator_for(json.loads(schema_path("stream-message").read_text("utf-8")))
    for message in (
        encode_control("hello", version=1, rate_hz=16000, frame_ms=20, max_ahead_frames=1500),
        encode_control("start", item="0123456789abcdef", frames=3),
        encode_control("end", item="0123456789abcdef"),
        encode_control("bye"),
    ):
        assert schema.is_valid(json.loads(message[8:]))
