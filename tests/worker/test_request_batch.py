"""Filling request batches, without a network."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.core.outcome import Outcome, Verdict
from app.core.platform import body_size
from worker.lane.rate_limit import RateLimit
from worker.lane.request_batch import Backlog, Call, FillLimits, RequestBatch


def run(calls: list[list[bytes]], limits: FillLimits, alone: set[int]) -> list[RequestBatch]:
    """The request batches that these calls, all waiting, are packed into; every one answered."""

    async def packed() -> list[RequestBatch]:
        backlog, batches = Backlog(), []
        made = [Call(messages, alone=at in alone) for at, messages in enumerate(calls)]
        for call in made:
            backlog.add(call)
        while (batch := backlog.take(limits)) is not None:
            batches.append(batch)
            batch.settle([Outcome(Verdict.DELIVERED, receipt=m.hex()) for m in batch.messages])
        assert (backlog.messages, backlog.bytes) == (0, 0)
        for call in made:
            assert call.done.done()
            assert [o.receipt for o in call.outcomes if o] == [m.hex() for m in call.messages]
        return batches

    return asyncio.run(packed())


@given(
    st.lists(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=12), max_size=8),
    st.integers(20, 150),
    st.integers(1, 9),
    st.sets(st.integers(0, 7)),
)
def test_every_message_goes_once_in_order_within_the_limits(
    calls: list[list[bytes]], most_bytes: int, most: int, alone: set[int]
) -> None:
    batches = run(calls, FillLimits(most_bytes, most), alone)

    sent = [message for batch in batches for message in batch.messages]
    assert sent == [message for messages in calls for message in messages]
    for batch in batches:
        assert len(batch.messages) <= most
        assert batch.size == sum(map(len, batch.messages))
        if len(batch.messages) > 1:
            assert body_size(len(batch.messages), batch.size) <= most_bytes
        if any(call.alone for call, _, _ in batch.slices):
            assert len(batch.messages) == 1


def test_a_request_is_filled_to_the_last_byte() -> None:
    batches = run([[b"x" * 10] * 10], FillLimits(body_size(5, 50), 100), set())

    assert [len(batch.messages) for batch in batches] == [5, 5]


async def test_what_waits_is_known_to_fill_a_request() -> None:
    backlog, limits = Backlog(), FillLimits(body_size(3, 30), 4)
    backlog.add(Call([b"x" * 10] * 2))
    assert not backlog.fills(limits)

    backlog.add(Call([b"x" * 10]))
    assert backlog.fills(limits)
    assert backlog.fills(FillLimits(10**6, 3))


async def test_a_call_that_was_given_up_is_passed_over() -> None:
    backlog, limits = Backlog(), FillLimits(1000, 10)
    gone, kept = Call([b"1", b"2"]), Call([b"3"])
    backlog.add(gone)
    backlog.add(kept)
    gone.done.cancel()

    batch = backlog.take(limits)

    assert batch is not None
    assert batch.messages == [b"3"]
    assert backlog.take(limits) is None
    assert (backlog.messages, backlog.bytes) == (0, 0)


async def test_an_answer_for_a_caller_that_is_gone_is_dropped() -> None:
    backlog = Backlog()
    call = Call([b"1"])
    backlog.add(call)
    batch = backlog.take(FillLimits(1000, 10))
    call.done.cancel()

    assert batch is not None
    batch.settle([Outcome(Verdict.DELIVERED)])

    assert call.done.cancelled()


class TestRateLimit:
    def test_waits_are_handed_out_in_the_order_of_asking(self) -> None:
        limit = RateLimit(100, lambda: 0.0, burst_seconds=0.1)

        assert [limit.reserve(10) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]

    def test_what_is_not_used_is_kept_up_to_the_burst(self) -> None:
        now = [0.0]
        limit = RateLimit(100, lambda: now[0], burst_seconds=0.1)
        limit.reserve(10)
        now[0] = 60.0

        assert limit.reserve(10) == 0
        assert limit.reserve(10) == 0.1

    def test_a_request_larger_than_the_burst_goes_through(self) -> None:
        assert RateLimit(10, lambda: 0.0).reserve(101) == 10

    def test_a_clock_that_goes_back_gives_nothing_away(self) -> None:
        now = [100.0]
        limit = RateLimit(100, lambda: now[0])
        limit.reserve(10)
        now[0] = 0.0

        assert limit.reserve(10) == 0.1
