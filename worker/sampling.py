"""Keeps copies of a few recent events per connection: real traffic for `coverage` and `diff`.

A sample is never worth a delay: events are offered by batches that are mapped already, chosen from
and kept beside the sending, once a second, and what goes wrong costs the sample and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog

from app.core.batch import OWN_CLAIM
from app.core.errors import StoreUnavailable
from app.core.event import peek_event
from worker.ending import end
from worker.metrics import Metrics
from worker.story import Story

log = structlog.get_logger()

EVERY_SECONDS: Final = 1.0
# Once the sample is full; until then all that was offered is kept.
BODIES_MAX: Final = 50

# So many events a second are looked at for their kinds: parsing one takes some 3 µs.
OFFERED_MAX: Final = 500
# A connection has some 73 kinds; whoever makes up names shall not fill our memory.
_KINDS_MAX: Final = 1_000


class Keeping(Protocol):
    """app.store.samples.Samples, as far as the sampler is concerned."""

    @property
    def keep_events(self) -> int: ...
    async def keep(self, connection: str, bodies: Sequence[bytes], now_ms: int) -> int: ...


class Sampler:
    """One worker process's choice of events."""

    def __init__(
        self,
        samples: Keeping,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._samples = samples
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        self._offered: dict[str, list[bytes]] = {}
        self._full: set[str] = set()
        # Per connection, the kinds in the order in which they were sampled last.
        self._kinds: dict[str, dict[str, None]] = {}
        self._keeping: dict[str, asyncio.Task[None]] = {}

    def offer(self, story: Story) -> None:
        """Offers the batch's events for the sample of this second, as far as there is room.

        Waits for nothing. Garbage, duplicates and Send Tests are no longer among `story.ids`;
        events that were tried or dead before are left out: they were offered then.
        """
        if story.batch.claim != OWN_CLAIM or not story.ids:
            return
        connection = story.taken.batch_id.connection
        offered = self._offered.setdefault(connection, [])
        # Also when there is no room: what fills it may have come while the last was being kept.
        if connection not in self._keeping:
            task = asyncio.create_task(self._keep(connection), name="sample")
            self._keeping[connection] = task
            task.add_done_callback(lambda _: self._keeping.pop(connection))
        room = OFFERED_MAX - len(offered)
        if room <= 0:
            return
        positions = list(story.ids)
        step = -(-len(positions) // room)
        offered += [story.batch.bodies[position] for position in positions[::step]]

    async def close(self) -> None:
        """Gives up what is on its way."""
        await end(self._keeping.values())

    async def _keep(self, connection: str) -> None:
        """Lets a second's worth of events come together, small batches' too, and keeps some."""
        await self._sleep(EVERY_SECONDS)
        offered = self._offered.pop(connection)
        try:
            most = BODIES_MAX if connection in self._full else OFFERED_MAX
            bodies = self._choose(connection, offered, most)
            kept = await self._samples.keep(connection, bodies, int(self._clock() * 1000))
        except StoreUnavailable:
            self._metrics.samples_lost.labels(connection).inc()
        except Exception:  # a bug of ours, which must not become the batch's
            self._metrics.samples_lost.labels(connection).inc()
            log.exception("sample.failed", connection=connection)
        else:
            if kept >= self._samples.keep_events:
                self._full.add(connection)

    def _choose(self, connection: str, offered: Sequence[bytes], most: int) -> list[bytes]:
        """One of each kind in turn, kinds that were not sampled for longest first."""
        of_kind: dict[str, list[bytes]] = {}
        for body in offered:
            of_kind.setdefault(peek_event(body)[1], []).append(body)
        known = self._kinds.setdefault(connection, {})
        order = [kind for kind in of_kind if kind not in known]
        order += [kind for kind in known if kind in of_kind]
        chosen: list[bytes] = []
        while of_kind and len(chosen) < most:
            for kind in [kind for kind in order if kind in of_kind]:
                if len(chosen) == most:
                    break
                chosen.append(of_kind[kind].pop())
                if not of_kind[kind]:
                    del of_kind[kind]
                known.pop(kind, None)
                known[kind] = None
        while len(known) > _KINDS_MAX:
            del known[next(iter(known))]
        return chosen
