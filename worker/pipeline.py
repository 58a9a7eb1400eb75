"""One batch's story: transform, claim, send, settle (design.md section 3).

Nothing is forgotten: until the last step the batch lies untouched in Redis, and a crash anywhere
in here lets its lease run out. What is sent twice then carries the same `_id`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from app.core import retry
from app.core.batch import TAKE_OVER, decode
from app.core.errors import EventFault, LeaseLost, UnreadableEvent, UnreadableFrame
from app.core.event import parse_event
from app.core.outcome import Failure, Outcome, Verdict, failed
from app.store.batches import Batches, Taken, takes_most
from app.store.claims import Claim, Claims
from app.store.settlement import Settlement
from app.store.traces import RequestTrace
from app.store.waiting import PARKED_MS
from worker.archive import ArchiveWriter
from worker.isolating import isolate
from worker.marks import Marks
from worker.metrics import Metrics
from worker.patience import patiently
from worker.route import RecordRefused, Route
from worker.sampling import Sampler
from worker.setting_aside import SettingAside
from worker.story import Story
from worker.telling import tell_of_deaths, tell_of_remarks

log = structlog.get_logger()

BUG_DELAY: Final = failed(Failure.INTERNAL, code="bug", message="unforeseen fault in the worker")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds. See app/core/retry.py."""

    base: float = retry.DEFAULT_BASE_SECONDS
    cap: float = retry.DEFAULT_CAP_SECONDS
    max_age: float = retry.DEFAULT_MAX_AGE_SECONDS


class Pipeline:
    """Works on batches that this worker holds."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        batches: Batches,
        claims: Claims,
        metrics: Metrics,
        policy: RetryPolicy | None = None,
        *,
        sampler: Sampler | None = None,
        archive: ArchiveWriter | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._routes = routes
        self._batches = batches
        self._claims = claims
        self._metrics = metrics
        self._policy = policy or RetryPolicy()
        self._sampler = sampler
        self._archive = archive
        self._clock = clock
        self._chance = chance
        self._aside = SettingAside(batches)

    async def work(self, taken: Taken) -> None:
        """The whole story. Raises nothing but CancelledError and bugs; then nothing was settled."""
        started = time.monotonic()
        route = self._routes.get(taken.batch_id.connection)
        story = self._open(taken)
        if route is None or story is None:
            await self._aside.set_aside(taken, story)
            return
        # A suspect had its turns alone, and took the worker with it each time.
        if taken.takes > takes_most(taken.batch_id):
            await self._book(story, isolate(story, await self._delivered_before(story)))
            return
        self._transform(story, route)
        try:
            await self._claim(story)
        except LeaseLost:
            self._lost(taken, 0)
            return
        await self._skip_delivered(story)
        if self._sampler is not None:
            self._sampler.offer(story)
        self._put_aside(story)
        await self._send(story, route)
        await self._settle(story)
        if self._archive is not None:
            self._archive.offer(story)
        self._metrics.batch_seconds.observe(time.monotonic() - started)

    def _open(self, taken: Taken) -> Story | None:
        try:
            return Story(taken, decode(taken.frame), int(self._clock() * 1000))
        except UnreadableFrame as fault:
            log.error("batch.unreadable", batch=str(taken.batch_id), reason=str(fault))
            return None

    def _transform(self, story: Story, route: Route) -> None:
        """Parses each event and makes its message. One after the other, and before the claims:
        a document that is dropped while it is in the cache costs a sixth less than one of five
        hundred that wait, and more than the work saved on the few duplicates."""
        seen: set[str] = set()
        # Our clock may be behind: events that were received are not from the future.
        now = max(self._clock(), max(story.batch.received_ms, default=0) / 1000)
        remarks = story.remarks
        # Nothing else runs until all are mapped, so one version maps the whole batch.
        story.version = route.version
        for position, (body, received_ms) in enumerate(
            zip(story.batch.bodies, story.batch.received_ms, strict=True)
        ):
            if position in story.batch.ready:
                self._take_ready(story, position, route, now, seen)
                continue
            try:
                event = parse_event(body)
            except UnreadableEvent as fault:
                story.fault(position, fault)
                continue
            if event.is_send_test:
                story.tests += 1
            elif event.event_id in seen:
                story.duplicates += 1
            else:
                seen.add(event.event_id)
                story.ids[position] = (event.event_id, event.timestamp)
                try:
                    story.messages[position] = route.message(event, body, received_ms, now, remarks)
                except Exception as fault:
                    story.faults[position] = fault

    def _take_ready(
        self, story: Story, position: int, route: Route, now: float, seen: set[str]
    ) -> None:
        """A ready record skips the mapping, but not the check: schemas change."""
        try:
            event_id, timestamp, message = route.ready(story.batch.bodies[position], now)
        except EventFault as fault:
            story.fault(position, fault)
            return
        if event_id in seen:
            story.duplicates += 1
            return
        seen.add(event_id)
        story.ids[position] = (event_id, timestamp)
        story.messages[position] = message

    async def _claim(self, story: Story) -> None:
        answers = await patiently(
            lambda: self._claims.claim(
                story.taken.batch_id.connection,
                story.claim,
                list(story.ids.values()),
                take_over=story.batch.claim == TAKE_OVER,
                held=(str(story.taken.batch_id), self._batches.owner),
            )
        )
        for position, answer in zip(list(story.ids), answers, strict=True):
            if answer is Claim.DUPLICATE:
                story.forget(position)
                story.duplicates += 1

    async def _skip_delivered(self, story: Story) -> None:
        for position in await self._delivered_before(story):
            if position in story.ids:
                story.forget(position)
                story.delivered += 1

    async def _delivered_before(self, story: Story) -> set[int]:
        """Positions that Platform took of an earlier take of the batch."""
        if not story.taken.marked:
            return set()
        name = str(story.taken.batch_id)
        return await patiently(lambda: self._batches.delivered_before(name))

    def _put_aside(self, story: Story) -> None:
        """What could not be made a message: a dead letter, or later when the bug is ours."""
        bugs: list[Exception] = []
        for position, fault in story.faults.items():
            if isinstance(fault, EventFault):
                record = fault.record if isinstance(fault, RecordRefused) else None
                story.fault(position, fault, record)
            else:
                bugs.append(fault)
                story.try_later(position, BUG_DELAY)
        if bugs:
            log.error("transform.bug", times=len(bugs), exc_info=bugs[0])

    async def _send(self, story: Story, route: Route) -> None:
        messages = story.messages
        if not messages:
            return
        marks = Marks(self._batches, str(story.taken.batch_id), list(messages))
        outcomes = await route.lane.send(
            list(messages.values()), suspect=story.suspect, told=marks.told
        )
        # A mark written after the batch is settled would lie about for ever.
        await marks.written()
        seen: dict[int, tuple[Outcome, int]] = {}
        for outcome in outcomes:
            seen[id(outcome)] = (outcome, seen.get(id(outcome), (outcome, 0))[1] + 1)
        at_ms = int(self._clock() * 1000)
        story.requests = [
            RequestTrace(at_ms, outcome.verdict.value, outcome.status, outcome.receipt, times)
            for outcome, times in seen.values()
        ]
        if len(seen) == 1 and outcomes[0].verdict is Verdict.DELIVERED:
            story.accepted += messages
            story.delivered += len(outcomes)
            return
        for (position, message), outcome in zip(messages.items(), outcomes, strict=True):
            self._decide(story, position, outcome, route.record_of(message))

    def _decide(self, story: Story, position: int, outcome: Outcome, record: bytes | None) -> None:
        """Where one event goes after Platform's answer."""
        match outcome.verdict:
            case Verdict.DELIVERED:
                story.accepted.append(position)
                story.delivered += 1
            case Verdict.REJECTED:
                story.rejected(position, outcome.failure or Failure.CONTRACT, outcome, record)
            case Verdict.TRY_AGAIN | Verdict.UNKNOWN:
                start = story.age_start_ms(position)
                if outcome.counts and retry.expired(start, story.now_ms, self._policy.max_age):
                    story.rejected(position, Failure.EXPIRED, outcome, record)
                elif story.stumbled_over(position, outcome) >= retry.MOST_FAULTS:
                    story.rejected(position, Failure.CONTRACT, outcome, record)
                else:
                    story.try_later(position, outcome)

    async def _settle(self, story: Story) -> None:
        await self._book(story, story.settlement(self._later_ms(story)))
        tell_of_deaths(story)
        tell_of_remarks(story, self._metrics)

    def _later_ms(self, story: Story) -> int:
        """When what is tried later is due."""
        if story.waits:
            # Not by a clock: it is pulled when its lane goes on.
            return PARKED_MS
        delay = retry.delay(
            story.batch.tries + 1,
            self._chance(),
            self._policy.base,
            self._policy.cap,
            story.retry_after,
        )
        return int(delay * 1000)

    async def _book(self, story: Story, settlement: Settlement) -> None:
        batch_id = story.taken.batch_id
        if not await patiently(lambda: self._batches.settle(batch_id, settlement)):
            # Somebody else works on it now; what we delivered is delivered twice at worst.
            self._lost(story.taken, settlement.delivered)
            return
        self._metrics.settled(batch_id.connection, settlement)

    def _lost(self, taken: Taken, delivered: int) -> None:
        log.warning("batch.lease_lost", batch=str(taken.batch_id), delivered=delivered)
        self._metrics.leases_lost.inc()
