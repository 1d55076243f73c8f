"""A file's bytes by position, for a reader that looks at headers only: of 3 GB of audio a few megabytes are read."""

from __future__ import annotations

from harness.system import read_at

_HEAD = 4096  # most headers end before that: one read a file
_AT_ONCE = 1 << 16  # no header is longer


class FileView:
    """What `parse_wav` needs of a memoryview: a length, and slices (of at most 64 KiB). The file must stay open."""

    def __init__(self, descriptor: int, bytes_: int) -> None:
        self._descriptor, self._bytes = descriptor, bytes_
        self._head = memoryview(read_at(descriptor, min(_HEAD, bytes_), 0))

    def __len__(self) -> int:
        return self._bytes

    def __getitem__(self, place: slice) -> memoryview:
        start, stop, _ = place.indices(self._bytes)
        if stop <= len(self._head):
            return self._head[start:stop]
        return memoryview(read_at(self._descriptor, max(0, min(stop - start, _AT_ONCE)), start))
