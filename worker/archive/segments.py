"""How delivered bodies lie in files: `{folder}/{connection}/{Unix hour of delivery}/{worker}.seg`.

A segment is a row of blocks, each a length (4 bytes) and a zstd stream over a msgpack array of
`[event id, received ms, body]`. Beside it, `.idx` has per block its offset (8 bytes), the number of
events (4) and a digest (8) of each id. Both are only ever appended to, by one process; a tail that
a crash tore is no block, and hides nothing before it.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import msgpack
import zstandard

_LENGTH: Final = Struct(">I")
_ENTRY: Final = Struct(">QI")
_DIGEST_BYTES: Final = 8
_LEVEL: Final = 3
# A block is a second's worth, at most the writer's 64 MB; more can only be garbage.
_BLOCK_MAX_BYTES: Final = 256_000_000


class Kept(NamedTuple):
    """One delivered event. `received_ms`: Unix ms."""

    event_id: str
    received_ms: int
    body: bytes


def append(segment: Path, events: Sequence[Kept]) -> int:
    """Adds a block; the bytes it took. Blocks. Raises OSError. Files are for their owner only."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(msgpack.packb(events))
    segment.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(segment, "ab", opener=_private) as file:
        offset = file.tell()
        file.write(_LENGTH.pack(len(packed)) + packed)
    # Second, so that what the index names is there.
    index = _ENTRY.pack(offset, len(events)) + b"".join(_digest(e.event_id) for e in events)
    with open(segment.with_suffix(".idx"), "ab", opener=_private) as file:
        file.write(index)
    return len(packed) + len(index) + _LENGTH.size


def find(segment: Path, ids: Iterable[str]) -> Iterator[Kept]:
    """The events of a segment that have one of these ids. Blocks. What is gone or torn is none."""
    wanted = set(ids)
    try:
        index = segment.with_suffix(".idx").read_bytes()
        offsets = sorted(set(_blocks_with(index, wanted)))
        if not offsets:
            return
        with segment.open("rb") as file:
            for offset in offsets:
                yield from (e for e in _block(file.fileno(), offset) if e.event_id in wanted)
    except OSError:
        return


def _blocks_with(index: bytes, ids: set[str]) -> Iterator[int]:
    """Offsets of the blocks that may hold one of the ids."""
    starts, offsets, at = [], [], 0
    while at + _ENTRY.size <= len(index):
        offset, count = _ENTRY.unpack_from(index, at)
        at += _ENTRY.size
        starts.append(at)
        offsets.append(offset)
        at += count * _DIGEST_BYTES
    for event_id in ids:
        digest, found = _digest(event_id), -1
        while (found := index.find(digest, found + 1)) >= 0:
            block = bisect_right(starts, found) - 1
            if block >= 0 and (found - starts[block]) % _DIGEST_BYTES == 0:
                yield offsets[block]


def _block(file: int, offset: int) -> list[Kept]:
    head = os.pread(file, _LENGTH.size, offset)
    if len(head) < _LENGTH.size or _LENGTH.unpack(head)[0] > _BLOCK_MAX_BYTES:
        return []
    packed = os.pread(file, _LENGTH.unpack(head)[0], offset + _LENGTH.size)
    try:
        content = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(packed))
        return [Kept(*each) for each in content]
    except (zstandard.ZstdError, ValueError, TypeError):
        return []


def _digest(event_id: str) -> bytes:
    data = event_id.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
