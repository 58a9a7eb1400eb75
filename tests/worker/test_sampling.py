"""A sample of recent events: bounded, of many kinds, and never at the cost of a batch."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence

import pytest
from arq.connections import ArqRedis

from app.core.batch import OWN_CLAIM, TAKE_OVER, EventBatch, decode, encode, encode_received
from app.core.batch_id import BatchId
from app.core.errors import StoreUnavailable
from app.core.event import SEND_TEST_EVENT_ID
from app.store.batches import Taken
from app.store.dead_letters import Filter
from app.store.samples import Samples
from tests.worker.conftest import Shop, body
from worker import sampling
from worker.metrics import Metrics
from worker.sampling import BODIES_MAX, OFFERED_MAX, Sampler
from worker.story import Story


class Kept:
    """Remembers what it was to keep; may be away, broken or slow."""

    keep_events = 500

    def __init__(self) -> None:
        self.total = 0
        self.calls: list[tuple[str, list[bytes], int]] = []
        self.fault: Exception | None = None
        self.slow: asyncio.Event | None = None

    async def keep(self, connection: str, bodies: Sequence[bytes], now_ms: int) -> int:
        if self.slow is not None:
            await self.slow.wait()
        if self.fault is not None:
            raise self.fault
        self.calls.append((connection, list(bodies), now_ms))
        self.total += len(bodies)
        return min(self.total, self.keep_events)


class Second:
    """Sleeps that a test ends, so that a second takes no time."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        assert seconds == sampling.EVERY_SECONDS
        await self.over.wait()

    async def pass_by(self) -> None:
        await turn()
        self.over.set()
        await turn()
        self.over.clear()


def story(*bodies: bytes, connection: str = "a", claim: int = 0) -> Story:
    """Of a batch that was transformed and claimed: all of its events are on their way."""
    batch = EventBatch(list(bodies), [1] * len(bodies), claim)
    made = Story(Taken(BatchId(connection, 1, len(bodies), 1), 1, b"", False), batch, 1)
    made.ids = dict.fromkeys(range(len(bodies)), ("", 0))
    return made


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def second() -> Second:
    return Second()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def sampler(kept: Kept, second: Second, metrics: Metrics) -> Sampler:
    return Sampler(kept, metrics, clock=lambda: 1_800_000_000.0, sleep=second)


def kinds(bodies: Sequence[bytes]) -> Counter[str]:
    return Counter(json.loads(each)["metric"] for each in bodies)


async def turn() -> None:
    """Lets what was started in the background end."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_batch_s_events_are_kept_with_the_time(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    events = [body("e1"), body("e2")]
    sampler.offer(story(*events))
    await second.pass_by()
    [(connection, bodies, now_ms)] = kept.calls
    assert (connection, sorted(bodies), now_ms) == ("a", events, 1_800_000_000_000)


async def test_a_second_s_small_batches_come_together(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    for number in range(20):
        sampler.offer(story(body(f"e{number}")))
        await turn()
    sampler.offer(story(body("other"), connection="b"))
    assert kept.calls == []
    await second.pass_by()
    assert sorted((call[0], len(call[1])) for call in kept.calls) == [("a", 20), ("b", 1)]
    sampler.offer(story(body("later")))
    await second.pass_by()
    assert [len(call[1]) for call in kept.calls if call[0] == "a"] == [20, 1]


async def test_a_second_s_offer_is_bounded(sampler: Sampler, kept: Kept, second: Second) -> None:
    for part in range(5):
        sampler.offer(story(*(body(f"e{part}-{n}") for n in range(300))))
    await second.pass_by()
    [(_, bodies, _)] = kept.calls
    assert len(bodies) == OFFERED_MAX


async def test_when_the_sample_is_full_fifty_are_kept_and_every_kind_is_among_them(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    many = [body(f"e{n}", metric=f"m{n % 10}") for n in range(500)]
    for _ in range(2):
        sampler.offer(story(*many))
        await second.pass_by()
    assert [len(set(call[1])) for call in kept.calls] == [500, BODIES_MAX]
    assert kinds(kept.calls[1][1]) == dict.fromkeys(kinds(many), BODIES_MAX // 10)


async def test_kinds_that_were_not_sampled_for_longest_come_first(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    kept.keep_events = 0
    sampler.offer(story(body("first")))
    await second.pass_by()
    every = [body(f"e{n}", metric=f"m{n}") for n in range(110)]
    for _ in range(3):
        sampler.offer(story(*every))
        await second.pass_by()
    first, second_, third = (set(kinds(call[1])) for call in kept.calls[1:])
    assert first.isdisjoint(second_)
    # The ten for which the first two samples had no room, then those of the first.
    assert set(kinds(every)) - first - second_ <= third
    assert third.isdisjoint(second_)


async def test_what_was_tried_or_dead_before_is_not_sampled_again(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    sampler.offer(story(body("e1"), claim=17))
    sampler.offer(story(body("e1"), claim=TAKE_OVER))
    sampler.offer(story())
    await second.pass_by()
    assert kept.calls == []


@pytest.mark.parametrize("fault", [StoreUnavailable("away"), ZeroDivisionError()])
async def test_a_sample_that_cannot_be_kept_is_counted_and_nothing_else(
    sampler: Sampler, kept: Kept, metrics: Metrics, second: Second, fault: Exception
) -> None:
    kept.fault = fault
    sampler.offer(story(body("e1")))
    await second.pass_by()
    name = "sluice_worker_samples_lost_total"
    assert metrics.registry.get_sample_value(name, {"connection": "a"}) == 1

    kept.fault = None
    sampler.offer(story(body("e1")))
    await second.pass_by()
    assert len(kept.calls) == 1


async def test_a_slow_store_is_asked_once_and_a_stop_does_not_wait_for_it(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    kept.slow = asyncio.Event()
    for _ in range(3):
        sampler.offer(story(body("e1")))
        await second.pass_by()
    await sampler.close()
    kept.slow.set()
    await turn()
    assert kept.calls == []


async def test_names_that_somebody_makes_up_do_not_fill_the_memory(
    sampler: Sampler, second: Second, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "_KINDS_MAX", 20)
    for turns in range(3):
        sampler.offer(story(*(body(f"e{n}", metric=f"m{turns}-{n}") for n in range(40))))
        await second.pass_by()
    assert [len(known) for known in sampler._kinds.values()] == [20]


async def test_a_worker_keeps_what_it_delivers_and_no_garbage_duplicate_or_test(
    store: ArqRedis,
) -> None:
    samples = Samples(store, 100, 1_000_000_000)
    sampler = Sampler(samples, Metrics(), clock=lambda: 1_800_000_000.0)
    shop = Shop(store, sampler=sampler)
    one, other = body("e1"), body("e2", metric="opened")

    name = await shop.receive(one, one, b"junk", body(SEND_TEST_EVENT_ID), other)
    await shop.desk.answer([name])
    async with asyncio.timeout(5):
        while not (found := await samples.recent("a", 10)):  # noqa: ASYNC110  # Redis tells
            await asyncio.sleep(0.005)

    assert sorted(sample.body for sample in found) == sorted([one, other])
    assert shop.lane.sent == ["e1", "e2"]
    assert len([x async for x in shop.letters.find(Filter())]) == 1


def test_a_frame_of_newly_received_events_is_one_that_may_be_sampled() -> None:
    """`offer` tells them by their claim, which the receiver leaves to the batch itself."""
    assert decode(encode_received([b"x"], [1])).claim == OWN_CLAIM
    assert decode(encode(EventBatch([b"x"], [1], TAKE_OVER))).claim != OWN_CLAIM


async def test_a_flood_while_a_sample_is_being_kept_is_not_the_last_that_is_sampled(
    sampler: Sampler, kept: Kept, second: Second
) -> None:
    """As a backlog is: more than is looked at in a second comes while Redis has not answered."""
    kept.slow = asyncio.Event()
    sampler.offer(story(body("e0")))
    await second.pass_by()
    sampler.offer(story(*(body(f"e{number}") for number in range(1, OFFERED_MAX + 1))))
    kept.slow.set()
    await turn()

    sampler.offer(story(body("later")))
    await second.pass_by()

    assert len(kept.calls) == 2
