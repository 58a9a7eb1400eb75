"""A lane in trouble: the breaker, the shared limits, poison and changed configuration."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.core.lane.breaker import IN_A_ROW
from app.core.outcome import Failure, Outcome, Verdict
from app.store import keys
from app.store.budgets import Budgets
from app.store.connect import open_store
from app.store.lanes import Gate, Lanes
from tests.conftest import RedisServer
from tests.worker.scripted_platform import (
    LIMITS,
    D,
    Got,
    Make,
    Platform,
    R,
    T,
    accept,
    each,
    messages,
    multi,
    problem,
    verdicts,
)
from worker.lane import Lane

ENVELOPE_TEXT = "Message has an absent or wrong ims org in the header"
SLOW = replace(LIMITS, messages_per_second=1_000.0, requests_per_second=100.0)


async def fail_until_open(lane: Lane) -> list[Outcome]:
    """The outcomes of one message after the other, until the lane is held back."""
    found: list[Outcome] = []
    while not (found and found[-1].held):
        found += await lane.send(messages(len(found)))
        assert len(found) < 50
    return found


async def end_pause(store: ArqRedis) -> None:
    await store.hset(keys.lane_state("conn"), "until", "1")


class TestBreaker:
    async def test_several_failures_open_it_and_then_nothing_is_sent_or_counted(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(503))
        lane, other = make(), make()

        failures = await fail_until_open(lane)
        more = [*await lane.send(messages(1, 2)), *await other.send(messages(3))]

        assert len(failures) == len(platform.got) == IN_A_ROW
        assert [o.counts for o in failures] == [True] * (IN_A_ROW - 1) + [False]
        for outcome in more:
            assert (outcome.verdict, outcome.failure) == (T, Failure.TRANSIENT)
            assert (outcome.attempted, outcome.held, outcome.counts) == (False, True, False)
        state = await Lanes(store).state("conn")
        assert (state.gate, state.reason) == (Gate.PAUSED, "transient:http_503")
        assert state.seconds is not None
        assert 0 < state.seconds <= 1

    async def test_no_answer_at_all_opens_it_too_and_stays_maybe_delivered(
        self, make: Make, platform: Platform
    ) -> None:
        async def hang(got: Got) -> None:
            await asyncio.sleep(3600)

        platform.script = hang
        failures = await fail_until_open(make(replace(LIMITS, timeout_seconds=0.05)))

        assert {o.verdict for o in failures} == {Verdict.UNKNOWN}
        assert len(failures) == IN_A_ROW

    async def test_a_probe_is_one_message_and_opens_or_waits_longer(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(500))
        await fail_until_open(make())
        await end_pause(store)

        failed = await make().send(messages(1, 2, 3))
        state = await Lanes(store).state("conn")
        await end_pause(store)
        platform.script = None
        good = await make().send(messages(4, 5, 6))

        assert platform.got[IN_A_ROW].numbers == [1]
        assert [o.counts for o in failed] == [False] * 3
        assert [o.attempted for o in failed] == [True, False, False]
        assert (state.strikes, state.reason) == (2, "transient:http_500")
        assert verdicts(good) == [D] * 3
        assert [got.numbers for got in platform.got[-2:]] == [[4], [5, 6]]
        assert (await Lanes(store).state("conn")).gate is Gate.OPEN

    async def test_a_message_that_always_fails_does_not_speak_for_the_lane_for_ever(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        async def script(got: Got) -> web.Response | None:
            return problem(500) if 1 in got.numbers else None

        platform.script = script
        now = [0.0]
        lane = make(clock=lambda: now[0])
        await Lanes(store).pause("conn", "transient:http_500", 1)
        await end_pause(store)

        first = await lane.send(messages(1, 2, 3))
        await end_pause(store)
        now[0] += 60
        second = await lane.send(messages(1, 2, 3))

        assert verdicts(first) == [T] * 3
        assert second[1].verdict is D
        assert [got.numbers for got in platform.got] == [[1], [2], [1, 3]]
        assert (await Lanes(store).state("conn")).gate is Gate.OPEN

    async def test_what_is_in_flight_when_it_opens_burns_no_attempt(
        self, make: Make, platform: Platform
    ) -> None:
        go = asyncio.Event()

        async def script(got: Got) -> web.Response:
            await go.wait()
            return problem(500)

        platform.script = script
        lane = make(replace(LIMITS, max_messages=1, max_in_flight=32))
        calls = [asyncio.create_task(lane.send(messages(n))) for n in range(8)]
        while platform.busy < 8:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.001)
        go.set()
        outcomes = [outcome for call in calls for outcome in await call]

        assert sum(o.counts for o in outcomes) == IN_A_ROW - 1

    async def test_it_is_said_once_and_told_to_the_metrics(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        told: list[tuple[object, ...]] = []

        class Watch:
            def on_request(self, *_: object) -> None: ...
            def on_rate(self, *_: object) -> None: ...
            def on_hold(self, connection: str, reason: str, *, ours: bool) -> None:
                told.append((connection, reason, ours))

            def on_open(self, connection: str, held_seconds: float) -> None:
                told.append((connection, held_seconds >= 0))

        platform.script = each(*[problem(503)] * IN_A_ROW, None)
        ahead = [0.0]
        lane = make(watch=Watch(), clock=lambda: time.monotonic() + ahead[0])
        with capture_logs() as logs:
            await fail_until_open(lane)
            for _ in range(3):
                await lane.send(messages(1))
            await end_pause(store)
            ahead[0] = 2.0
            assert verdicts(await lane.send(messages(1))) == [D]

        said = [log["event"] for log in logs if log["event"].startswith("lane.")]
        assert said == ["lane.paused", "lane.resumed"]
        assert told[0] == ("conn", "transient:http_503", True)
        assert told[1:] == [("conn", True)]


class TestShared:
    async def test_two_lanes_of_one_organization_stay_under_one_limit(
        self, make: Make, platform: Platform
    ) -> None:
        """A Platform that counts as the reference says, a tenth above what we allow ourselves."""
        platform.script = throttling(1_100.0)
        lanes = [make(SLOW, org_id="org", name=name) for name in ("a", "b", "b")]

        found = await asyncio.gather(*(lane.send(messages(*range(700))) for lane in lanes))

        assert [verdicts(outcomes) for outcomes in found] == [[D] * 700] * 3

    async def test_a_refusal_slows_the_lane_for_all_workers_and_shrinks_its_requests(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(429), None)
        limits = replace(SLOW, messages_per_second=10_000.0)

        first = await make(limits).send(messages(*range(100)))
        pace = await Budgets(store).pace("conn")
        outcomes = await make(limits).send(messages(*range(200)))

        assert {(o.verdict, o.failure, o.counts, o.held) for o in first} == {
            (T, Failure.THROTTLE, False, False)
        }
        assert (pace.version, pace.peak) == (1, 1_000)
        assert verdicts(outcomes) == [D] * 200
        assert max(len(got.numbers) for got in platform.got[2:]) <= 110
        assert (await Lanes(store).state("conn")).gate is Gate.OPEN

    async def test_many_refusals_at_once_are_one(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(*[problem(429)] * 3, None)
        limits = replace(SLOW, max_messages=1, messages_per_second=100_000.0)
        limits = replace(limits, requests_per_second=10_000.0, max_in_flight=32)

        await make(limits).send(messages(*range(8)))

        assert (await Budgets(store).pace("conn")).version <= 2

    async def test_without_redis_half_of_the_fair_part_is_sent(
        self, make: Make, platform: Platform, own_redis: RedisServer
    ) -> None:
        redis = open_store(own_redis.url)
        own_redis.kill()
        lane = make(SLOW, states=Lanes(redis), budget=Budgets(redis))

        assert verdicts(await lane.send(messages(*range(30)))) == [D] * 30
        await redis.aclose(close_connection_pool=True)

    async def test_an_endless_limit_asks_nobody(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        assert math.isinf(LIMITS.messages_per_second)
        await make().send(messages(1, 2))

        assert await store.keys("sluice:budget*") == []


def throttling(per_second: float) -> Callable[[Got], web.Response | None]:
    """429 when more come than that; a second's worth at once is fine."""
    level, at = per_second, 0.0

    def script(got: Got) -> web.Response | None:
        nonlocal level, at
        now = asyncio.get_running_loop().time()
        level = min(per_second, level + (now - at) * per_second) if at else level
        at = now
        if level < 1:
            return problem(429)
        level -= len(got.numbers)
        return None

    return script


class TestPoison:
    async def test_a_message_that_platform_stumbles_over_is_found_and_its_neighbours_get_through(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = lambda got: problem(500) if 17 in got.numbers else None
        lane = make()

        together = await lane.send(messages(*range(64)))
        searched = await lane.send(messages(*range(64)), suspect=True)

        assert verdicts(together) == [T] * 64
        assert [at for at, o in enumerate(searched) if o.verdict is not D] == [17]
        assert (searched[17].failure, searched[17].counts) == (Failure.TRANSIENT, True)
        assert len(platform.got) <= 1 + 2 * 7

    async def test_several_are_found_without_opening_the_breaker(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        bad = {3, 90, 200, 250}
        platform.script = lambda got: problem(500) if bad & set(got.numbers) else None

        outcomes = await make().send(messages(*range(256)), suspect=True)

        assert {at for at, o in enumerate(outcomes) if o.verdict is not D} == bad
        assert (await Lanes(store).state("conn")).gate is Gate.OPEN

    async def test_in_an_outage_the_search_ends_at_once(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = each(problem(500))

        outcomes = await make().send(messages(*range(256)), suspect=True)

        assert {o.verdict for o in outcomes} == {T}
        assert len(platform.got) < 8 * IN_A_ROW

    async def test_other_calls_share_no_request_with_suspects(
        self, make: Make, platform: Platform
    ) -> None:
        lane = make()

        await asyncio.gather(lane.send(messages(1, 2), suspect=True), lane.send(messages(3, 4)))

        assert sorted(got.numbers for got in platform.got) == [[1, 2], [3, 4]]


class TestConfiguration:
    @pytest.mark.parametrize("whole", [True, False])
    async def test_an_envelope_refused_for_all_messages_pauses_a_lane_that_was_fine(
        self, make: Make, platform: Platform, whole: bool
    ) -> None:
        def refuse(got: Got) -> web.Response:
            if whole or len(got.numbers) == 1:
                return problem(400, ENVELOPE_TEXT)
            return multi({"status": 400, "message": ENVELOPE_TEXT} for _ in got.numbers)

        lane = make()
        assert verdicts(await lane.send(messages(1, 2))) == [D, D]
        platform.script = refuse

        with capture_logs() as logs:
            outcomes = await lane.send(messages(*range(20)))

        assert {(o.verdict, o.failure, o.held) for o in outcomes} == {(T, Failure.BLOCKED, True)}
        paused = [log for log in logs if log["event"] == "lane.paused"]
        assert [(log["log_level"], log["code"]) for log in paused] == [("error", "envelope_org")]

    async def test_single_messages_die_of_it_only_until_it_is_clear_that_all_would(
        self, make: Make, platform: Platform
    ) -> None:
        lane = make()
        await lane.send(messages(0))
        platform.script = each(problem(400, ENVELOPE_TEXT))

        found = [(await lane.send(messages(n)))[0].verdict for n in range(4)]

        assert found == [R, R, T, T]

    async def test_one_refused_among_others_dies(self, make: Make, platform: Platform) -> None:
        lane = make()
        for n in range(5):
            bad = n

            def script(got: Got, bad: int = bad) -> web.Response:
                if bad in got.numbers:
                    entries = [
                        {"status": 400, "message": ENVELOPE_TEXT} if number == bad
                        else {"xactionId": f"b:{at}"}
                        for at, number in enumerate(got.numbers)
                    ]  # fmt: skip
                    return multi(entries)
                return accept(got)

            platform.script = script
            outcomes = await lane.send(messages(n, 100, 101))
            assert verdicts(outcomes) == [R, D, D]

    async def test_a_probe_refused_for_its_envelope_waits_on(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        lane = make()
        await lane.send(messages(0, 1))
        platform.script = each(problem(400, ENVELOPE_TEXT))
        await lane.send(messages(*range(5)))
        await end_pause(store)

        outcomes = await make().send(messages(7, 8))

        assert verdicts(outcomes) == [T, T]
        assert (await Lanes(store).state("conn")).strikes == 2


class TestRoom:
    async def test_there_is_none_while_the_lane_is_held_back_and_one_piece_for_a_probe(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        lane = make()
        assert (await lane.room()).batches > 1
        platform.script = each(*[problem(503)] * IN_A_ROW, None)
        await fail_until_open(lane)

        shut = await lane.room()
        await end_pause(store)
        probing = make()
        one, none = await probing.room(), await probing.room()
        elsewhere = await make().room()

        assert (shut.batches, one.batches, none.batches, elsewhere.batches) == (0, 1, 0, 0)
        assert verdicts(await probing.send(messages(1))) == [D]
        assert (await probing.room()).batches > 1

    async def test_a_lane_with_seconds_of_work_before_it_wants_no_more(
        self, make: Make, platform: Platform
    ) -> None:
        go = asyncio.Event()

        async def script(got: Got) -> None:
            await go.wait()

        platform.script = script
        lane = make(SLOW)
        call = asyncio.create_task(lane.send(messages(*range(1_500))))
        while not platform.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

        assert (await lane.room()).batches == 0
        call.cancel()
        go.set()


class TestGivingBackAProbe:
    """The work that was let in to probe is done with; it need not have had anything to send."""

    @pytest.fixture(autouse=True)
    async def _probe_is_due(self, store: ArqRedis) -> None:
        await Lanes(store).pause("conn", "transient:http_503", 60)
        await end_pause(store)

    async def test_one_that_was_not_sent_is_anothers_at_once(self, make: Make) -> None:
        probing = make()
        room = await probing.room()
        assert (await make().room()).batches == 0

        await probing.give_back(room)

        assert (await make().room()).probe

    async def test_or_its_own_again(self, make: Make) -> None:
        lane = make()
        first = await lane.room()
        await lane.give_back(first)
        second = await lane.room()

        # Twice: what was given back is not theirs any more.
        await lane.give_back(first)

        assert 0 != second.probe != first.probe
        assert (await make().room()).batches == 0

    async def test_one_that_is_on_its_way_stays_the_only_one(
        self, make: Make, platform: Platform
    ) -> None:
        go = asyncio.Event()

        async def script(got: Got) -> None:
            await go.wait()

        platform.script = script
        lane = make()
        room = await lane.room()
        call = asyncio.create_task(lane.send(messages(1)))
        while not platform.got:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.001)

        await lane.give_back(room)

        assert (await make().room()).batches == 0
        go.set()
        assert verdicts(await call) == [D]

    async def test_one_that_took_too_long_gives_no_later_one_back(self, make: Make) -> None:
        now = [0.0]
        lane = make(clock=lambda: now[0])
        late = await lane.room()
        now[0] = 11.0
        assert (await lane.room()).probe

        await lane.give_back(late)

        assert (await make().room()).batches == 0

    async def test_nor_one_that_another_worker_has_by_now(
        self, make: Make, store: ArqRedis
    ) -> None:
        lane, other = make(), make()
        late = await lane.room()
        await store.hset(keys.lane_state("conn"), "probe", "1")
        assert (await other.room()).probe

        await lane.give_back(late)

        assert (await make().room()).batches == 0

    async def test_a_lane_that_was_replaced_takes_no_probe_with_it(self, make: Make) -> None:
        lane = make()
        room = await lane.room()
        await lane.close()
        assert verdicts(await lane.send(messages(1))) == [T]

        await lane.give_back(room)

        assert (await make().room()).probe

    async def test_a_lane_with_too_much_before_it_does_not_keep_it(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        go, now = asyncio.Event(), [time.monotonic()]

        async def script(got: Got) -> None:
            await go.wait()

        await Lanes(store).resume("conn")
        platform.script = script
        lane = make(SLOW, clock=lambda: now[0])
        call = asyncio.create_task(lane.send(messages(*range(1_500))))
        while not platform.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await Lanes(store).pause("conn", "transient:http_503", 60)
        await end_pause(store)
        now[0] += 2.0

        room = await lane.room()
        assert room.batches == 0
        await lane.give_back(room)

        assert (await make().room()).probe
        call.cancel()
        go.set()

    async def test_without_redis_its_time_runs_out(
        self, make: Make, own_redis: RedisServer
    ) -> None:
        redis = open_store(own_redis.url)
        await Lanes(redis).pause("conn", "transient:http_503", 60)
        await end_pause(redis)
        lane = make(states=Lanes(redis))
        room = await lane.room()
        own_redis.kill()

        await lane.give_back(room)

        assert room.probe
        await redis.aclose(close_connection_pool=True)
