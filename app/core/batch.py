"""The frame codec: how an event batch lies in Redis.

A frame is one version byte and a zstd stream over a msgpack array. It holds the exact bytes
received. Version 1: `[claim, tries, base_ms, bodies, ages, histories]`; version 2 has `ready`, too,
and is written only where there is something in it, so that a release that does not know it sets
aside no more than it must.

* `claim`: number of the batch that first claimed these events; OWN_CLAIM = this batch itself,
  TAKE_OVER = this batch itself, even where another one claimed them (a replay).
* `tries`: how often they were sent in vain.
* `base_ms` + `ages[i]`: Unix ms at which event i was received.
* `histories`: null, or per event a list of attempt runs (see AttemptRun).
* `ready`: positions whose body is no event but an XDM record, to be sent as it is: all that is left
  of an event that Platform refused later.

A version stays readable for ever: a new one gets a new byte, a decoder of its own, and a golden
frame in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import msgpack
import zstandard

from app.core.batch_dictionary import VERSION_1
from app.core.errors import UnreadableFrame

CURRENT_VERSION: Final = 1
_WITH_READY: Final = 2

# Level 1 keeps the receiver's share small; the dictionary does most of the work on small batches.
_LEVEL: Final = 1

OWN_CLAIM: Final = 0
TAKE_OVER: Final = -1


class AttemptRun(NamedTuple):
    """Attempts in a row with the same result: a week of one outage is one entry.

    Times in Unix ms; `receipt` is Platform's id of the last of them.
    """

    first_ms: int
    last_ms: int
    times: int
    failure: str
    status: int
    code: str
    message: str
    receipt: str


@dataclass(slots=True)
class EventBatch:
    """Events that travel together. The lists have one entry per event."""

    bodies: list[bytes]
    received_ms: list[int]
    claim: int = OWN_CLAIM
    tries: int = 0
    histories: list[tuple[AttemptRun, ...]] = field(default_factory=list)
    ready: frozenset[int] = frozenset()

    def history(self, position: int) -> tuple[AttemptRun, ...]:
        return self.histories[position] if self.histories else ()

    def part(self, positions: Sequence[int]) -> EventBatch:
        """The same batch with only the events at `positions`."""
        return replace(
            self,
            bodies=[self.bodies[i] for i in positions],
            received_ms=[self.received_ms[i] for i in positions],
            histories=[self.histories[i] for i in positions] if self.histories else [],
            ready=frozenset(at for at, i in enumerate(positions) if i in self.ready),
        )


def add_attempt(history: tuple[AttemptRun, ...], now: AttemptRun) -> tuple[AttemptRun, ...]:
    """`history` with one attempt more; it joins the last run when the result is the same."""
    if history:
        last = history[-1]
        if (last.failure, last.status, last.code, last.message) == (
            now.failure, now.status, now.code, now.message,
        ):  # fmt: skip
            joined = now._replace(first_ms=last.first_ms, times=last.times + now.times)
            return (*history[:-1], joined)
    return (*history, now)


def encode(batch: EventBatch) -> bytes:
    """The frame of a batch."""
    base = min(batch.received_ms, default=0)
    histories = batch.histories if any(batch.histories) else None
    content = [
        batch.claim,
        batch.tries,
        base,
        batch.bodies,
        [ms - base for ms in batch.received_ms],
        histories,
    ]
    version = CURRENT_VERSION
    if batch.ready:
        version = _WITH_READY
        content.append(sorted(batch.ready))
    return bytes([version]) + _COMPRESSOR_1.compress(msgpack.packb(content))


def encode_received(bodies: Sequence[bytes], received_ms: Sequence[int]) -> bytes:
    """The frame of events that were just received: not claimed, never tried."""
    return encode(EventBatch(list(bodies), list(received_ms)))


def decode(frame: bytes) -> EventBatch:
    """The batch in a frame. Raises UnreadableFrame."""
    decoder = _DECODERS.get(frame[0]) if frame else None
    if decoder is None:
        version = frame[0] if frame else "none"
        raise UnreadableFrame(f"frame version {version} is not known to this release")
    try:
        return decoder(frame)
    except UnreadableFrame:
        raise
    except Exception as fault:  # zstd and msgpack raise a dozen kinds on damaged bytes
        raise UnreadableFrame(f"damaged frame: {type(fault).__name__}") from fault


def _decode_1(frame: bytes) -> EventBatch:
    return _batch_of(*msgpack.unpackb(_DECOMPRESSOR_1.decompress(memoryview(frame)[1:])))


def _decode_2(frame: bytes) -> EventBatch:
    *content, ready = msgpack.unpackb(_DECOMPRESSOR_1.decompress(memoryview(frame)[1:]))
    batch = _batch_of(*content)
    batch.ready = frozenset(ready)
    if not batch.ready <= set(range(len(batch.bodies))):
        raise UnreadableFrame("damaged frame: a ready record beyond the end")
    return batch


def _batch_of(
    claim: int, tries: int, base: int, bodies: list[bytes], ages: list[int], histories: Any
) -> EventBatch:
    if not len(bodies) == len(ages) or (histories and len(histories) != len(bodies)):
        raise UnreadableFrame("damaged frame: lists differ in length")
    return EventBatch(
        bodies,
        [base + age for age in ages],
        claim,
        tries,
        [tuple(AttemptRun(*run) for run in runs) for runs in histories] if histories else [],
    )


def pack(value: Any) -> bytes:
    """Any msgpack value in the same clothes: for dead letters, which hold one event each."""
    return bytes([CURRENT_VERSION]) + _COMPRESSOR_1.compress(msgpack.packb(value))


def unpack(packed: bytes) -> Any:
    """What `pack` was given. Raises UnreadableFrame."""
    if not packed or packed[0] != CURRENT_VERSION:
        raise UnreadableFrame("unknown version of a packed value")
    try:
        return msgpack.unpackb(_DECOMPRESSOR_1.decompress(memoryview(packed)[1:]))
    except Exception as fault:  # as in decode
        raise UnreadableFrame(f"damaged value: {type(fault).__name__}") from fault


_DICTIONARY_1: Final = zstandard.ZstdCompressionDict(
    VERSION_1, dict_type=zstandard.DICT_TYPE_RAWCONTENT
)
_COMPRESSOR_1: Final = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_DICTIONARY_1)
_DECOMPRESSOR_1: Final = zstandard.ZstdDecompressor(dict_data=_DICTIONARY_1)
_DECODERS: Final[dict[int, Callable[[bytes], EventBatch]]] = {1: _decode_1, 2: _decode_2}
