"""Bytes set, sizes replaced, pieces cut out, put in, doubled and swapped, most of them in the header."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

import made
from made import chunk, fmt, riff

FILES = 10_000
SIZES = (0, 1, 2, 3, 15, 16, 17, 18, 40, 44, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    data = made.wav(0.2)[44:]
    extensible = fmt(0xFFFE) + struct.pack("<2HIH", 22, 16, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
    seeds = [
        made.wav(0.2),
        riff(fmt(), data, chunk(b"LIST", b"INFOISFT\x05\0\0\0score5")),
        riff(fmt(), data, before=chunk(b"bext", b"abc")),
        made.wav(0.2, bits=32, tag=3),
        made.wav(0.2, bits=24),
        riff(extensible, data),
    ]
    for number in range(FILES):
        mutated = bytearray(seeds[number % len(seeds)])
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            _mutate(mutated, random)
        yield "any", bytes(mutated)


def _mutate(data: bytearray, random: Random) -> None:
    at = random.randrange(min(len(data), 90)) if random.random() < 0.8 else random.randrange(len(data))
    length = random.randrange(1, 40)
    kind = random.randrange(7)
    if kind == 0:
        data[at] = random.randrange(256)
    elif kind == 1:
        data[at : at + 4] = struct.pack("<I", random.choice((*SIZES, len(data), len(data) - 8, len(data) - 44)))
    elif kind == 2:
        del data[at : at + length]
    elif kind == 3:
        data[at:at] = random.randbytes(length)
    elif kind == 4:
        data[at:at] = data[at : at + length]
    elif kind == 5:
        data[at] ^= 1 << random.randrange(8)
    else:
        del data[-length:]
