"""A sample of recent traffic per connection, for people who change a mapping set.

`sluice mappings coverage` and `diff` look at real events with it. Samples are copies: losing them
loses nothing, and nothing of design.md section 4 depends on them. They hold personal data (section
6 of customerio.md lists where), which is why they are few, expire, and can be switched off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from app.core.batch import pack, unpack
from app.core.errors import UnreadableFrame
from app.core.event import peek_event
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# Judgement: a thousand bodies with whole e-mails in them would be a burden for Redis.
BODY_MAX_BYTES: Final = 65_536

# In the index each kind is a few bytes; a family or metric nobody knows could be any text.
_KIND_MAX_CHARS: Final = 64

_READ_AT_ONCE: Final = 500


class Sample(NamedTuple):
    """One event as it was received; `received_ms`: Unix ms at which it was put here."""

    received_ms: int
    body: bytes


@dataclass(slots=True)
class Samples:
    """At most `keep_events` bodies per connection (0: none), none older than `keep_ms`.

    What is too old goes with the next `keep`, and is never read. Where nothing comes any more the
    whole sample expires `keep_ms` after the last: so twice that time is the longest that a body
    lies in Redis.
    """

    redis: Store
    keep_events: int
    keep_ms: int
    _sample: Script = field(init=False)

    def __post_init__(self) -> None:
        self._sample = Script(self.redis, "sample")

    async def keep(self, connection: str, bodies: Sequence[bytes], now_ms: int) -> int:
        """Adds bodies; how many are kept now. One round trip. Raises StoreUnavailable.

        Above `keep_events` the oldest of the commonest kinds go first. Bodies of over
        BODY_MAX_BYTES are left out.
        """
        words: list[str | bytes] = []
        for body in bodies:
            if len(body) <= BODY_MAX_BYTES:
                words += [peek_event(body)[1][:_KIND_MAX_CHARS], pack([now_ms, body])]
        if not words or not self.keep_events:
            return 0
        return int(
            await self._sample(_names(connection), [now_ms, self.keep_ms, self.keep_events, *words])
        )

    async def recent(self, connection: str, limit: int) -> list[Sample]:
        """Up to `limit` of them, newest first. Raises StoreUnavailable."""
        samples, index = _names(connection)
        with store_faults():
            seconds, micros = await self.redis.time()
            oldest = seconds * 1000 + micros // 1000 - self.keep_ms
            found = await self.redis.zrevrangebyscore(
                index, "+inf", f"({oldest}", start=0, num=limit
            )
        numbers = [str(member, "utf-8").partition(" ")[0] for member in found]
        kept: list[Sample] = []
        for start in range(0, len(numbers), _READ_AT_ONCE):
            with store_faults():
                wanted = numbers[start : start + _READ_AT_ONCE]
                packed = await cast(
                    Awaitable[list[bytes | None]], self.redis.hmget(samples, wanted)
                )
            kept += [sample for one in packed if one and (sample := _read(one))]
        return kept


def _names(connection: str) -> list[str]:
    return [keys.samples(connection), keys.sample_index(connection)]


def _read(packed: bytes) -> Sample | None:
    try:
        return Sample(*unpack(packed))
    except UnreadableFrame:  # of another release: one sample less
        return None
