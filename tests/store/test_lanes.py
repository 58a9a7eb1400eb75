"""What workers share about a lane, on a real server."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis

from app.core.errors import StoreUnavailable
from app.store import keys
from app.store.batches import Batches
from app.store.connect import open_store
from app.store.lanes import LONGEST_PAUSE_SECONDS, Gate, Lanes, LaneState
from tests.conftest import RedisServer


@pytest.fixture
def lanes(store: ArqRedis) -> Lanes:
    return Lanes(store)


async def end_pause(store: ArqRedis, connection: str = "a") -> None:
    """As if the pause had lasted its time."""
    await store.hset(keys.lane_state(connection), "until", "1")


async def test_a_lane_nobody_paused_is_open(lanes: Lanes) -> None:
    assert await lanes.state("a") == LaneState(Gate.OPEN)


async def test_a_pause_is_seen_with_its_reason_and_only_by_its_lane(lanes: Lanes) -> None:
    seconds, new = await lanes.pause("a", "credentials:http_401", 60)

    state = await lanes.state("a")
    assert (seconds, new) == (60, True)
    assert (state.gate, state.reason, state.strikes) == (Gate.PAUSED, "credentials:http_401", 1)
    assert state.seconds is not None
    assert 55 < state.seconds <= 60
    assert (await lanes.state("b")).gate is Gate.OPEN


async def test_pauses_that_come_together_are_one(lanes: Lanes) -> None:
    answers = await asyncio.gather(*(lanes.pause("a", "blocked:x", 60) for _ in range(8)))

    assert [new for _, new in answers].count(True) == 1
    assert (await lanes.state("a")).strikes == 1


async def test_after_a_pause_one_asker_probes(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.pause("a", "r", 60)
    await end_pause(store)

    asked = [await lanes.state("a", probe_seconds=9, asker=name) for name in ("w1", "w2", "w1")]

    assert [state.gate for state in asked] == [Gate.PROBE, Gate.PROBING, Gate.PROBE]
    assert asked[1].seconds is not None
    assert 0 < asked[1].seconds <= 9


async def test_looking_reserves_no_probe(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.pause("a", "r", 60)
    await end_pause(store)

    assert (await lanes.state("a")).gate is Gate.PROBE
    assert (await lanes.state("a", probe_seconds=9, asker="w")).gate is Gate.PROBE


async def test_a_prober_that_died_is_replaced(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.pause("a", "r", 60)
    await end_pause(store)
    await lanes.state("a", probe_seconds=9, asker="w1")
    await store.hset(keys.lane_state("a"), "probe", "1")

    assert (await lanes.state("a", probe_seconds=9, asker="w2")).gate is Gate.PROBE


async def test_a_probe_given_back_is_the_next_askers(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.pause("a", "r", 60)
    await end_pause(store)
    await lanes.state("a", probe_seconds=9, asker="w1")

    assert await lanes.give_back("a", "w1") is True

    state = await lanes.state("a", probe_seconds=9, asker="w2")
    assert (state.gate, state.reason, state.strikes) == (Gate.PROBE, "r", 1)


async def test_nobody_gives_back_the_probe_of_another(lanes: Lanes, store: ArqRedis) -> None:
    """Not even who had one before, and was too late with it."""
    await lanes.pause("a", "r", 60)
    await end_pause(store)
    await lanes.state("a", probe_seconds=9, asker="w1")
    await store.hset(keys.lane_state("a"), "probe", "1")
    await lanes.state("a", probe_seconds=9, asker="w2")

    assert await lanes.give_back("a", "w1") is False

    assert (await lanes.state("a", probe_seconds=9, asker="w1")).gate is Gate.PROBING


async def test_giving_back_shortens_no_pause_and_makes_none(lanes: Lanes, store: ArqRedis) -> None:
    assert await lanes.give_back("a", "w1") is False
    assert not await store.exists(keys.lane_state("a"))

    await lanes.pause("a", "r", 60)
    await end_pause(store)
    await lanes.state("a", probe_seconds=9, asker="w1")
    await lanes.pause("a", "r", 60)
    await lanes.give_back("a", "w1")

    assert (await lanes.state("a", probe_seconds=9, asker="w2")).gate is Gate.PAUSED


async def test_each_failed_probe_doubles_the_pause_up_to_the_longest(
    lanes: Lanes, store: ArqRedis
) -> None:
    waits = []
    for _ in range(6):
        waits.append((await lanes.pause("a", "r", 60))[0])
        await end_pause(store)

    assert waits == [60, 120, 240, 480, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]


async def test_resuming_opens_the_lane_and_forgets_the_strikes(
    lanes: Lanes, store: ArqRedis
) -> None:
    await lanes.pause("a", "r", 60)
    await end_pause(store)
    await lanes.pause("a", "r", 60)

    assert await lanes.resume("a") is True
    assert await lanes.resume("a") is False
    assert await lanes.pause("a", "r", 60) == (60, True)


async def test_an_operators_pause_has_no_end_and_no_fault_shortens_it(lanes: Lanes) -> None:
    await lanes.pause("a", "operator", None)
    await lanes.pause("a", "blocked:x", 1)

    state = await lanes.state("a", probe_seconds=9, asker="w")
    assert (state.gate, state.seconds, state.reason) == (Gate.PAUSED, None, "operator")


async def test_an_operators_pause_goes_before_a_running_one(lanes: Lanes) -> None:
    await lanes.pause("a", "blocked:x", 60)

    assert await lanes.pause("a", "operator", None) == (None, True)
    assert (await lanes.state("a")).reason == "operator"


async def test_a_token_is_shared_for_its_life(lanes: Lanes, store: ArqRedis) -> None:
    assert await lanes.get_token("f") is None

    await lanes.put_token("f", b"tok", 100)

    assert await lanes.get_token("f") == b"tok"
    assert await lanes.get_token("g") is None
    assert 95_000 < await store.pttl(keys.ims_token("f")) <= 100_000


async def test_only_the_token_that_was_refused_is_dropped(lanes: Lanes) -> None:
    await lanes.put_token("f", b"new", 100)

    await lanes.drop_token("f", b"old")
    assert await lanes.get_token("f") == b"new"

    await lanes.drop_token("f", b"new")
    assert await lanes.get_token("f") is None


async def test_one_process_at_a_time_fetches(lanes: Lanes, store: ArqRedis) -> None:
    assert await lanes.lock_token("f", "w1", 20) is True
    assert await lanes.lock_token("f", "w2", 20) is False
    assert await lanes.lock_token("f", "w1", 20) is True  # the command was sent again
    assert 15_000 < await store.pttl(keys.ims_lock("f")) <= 20_000

    await lanes.unlock_token("f", "w2")
    assert await lanes.lock_token("f", "w2", 20) is False

    await lanes.unlock_token("f", "w1")
    assert await lanes.lock_token("f", "w2", 20) is True


async def test_a_server_that_is_away_is_store_unavailable(own_redis: RedisServer) -> None:
    client = open_store(own_redis.url)
    lanes = Lanes(client)
    own_redis.kill()

    calls = [
        lanes.state("a"), lanes.pause("a", "r", 1), lanes.resume("a"), lanes.get_token("f"),
        lanes.put_token("f", b"t", 1), lanes.drop_token("f", b"t"), lanes.lock_token("f", "w", 1),
        lanes.unlock_token("f", "w"), lanes.give_back("a", "w"),
    ]  # fmt: skip
    found = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(fault) for fault in found] == [StoreUnavailable] * len(calls)
    assert {fault.reason for fault in found if isinstance(fault, StoreUnavailable)} == {"away"}
    await client.aclose(close_connection_pool=True)


async def test_a_script_that_the_server_forgot_is_loaded_again(
    lanes: Lanes, store: ArqRedis
) -> None:
    await lanes.state("a")
    await store.script_flush()

    assert (await lanes.state("a")).gate is Gate.OPEN


async def test_another_class_of_fault_begins_with_a_short_pause(
    lanes: Lanes, store: ArqRedis
) -> None:
    for _ in range(4):
        await lanes.pause("a", "transient:http_503", 1, longest=30)
        await end_pause(store)

    assert await lanes.pause("a", "credentials:http_401", 60) == (60, True)
    assert (await lanes.state("a")).strikes == 1


async def test_pauses_grow_to_the_longest_of_their_class(lanes: Lanes, store: ArqRedis) -> None:
    waits = []
    for _ in range(7):
        waits.append((await lanes.pause("a", "transient:x", 1, longest=30))[0])
        await end_pause(store)

    assert waits == [1, 2, 4, 8, 16, 30, 30]


async def test_an_operators_pause_with_an_end_goes_before_a_running_one_and_is_not_doubled(
    lanes: Lanes,
) -> None:
    await lanes.pause("a", "credentials:x", 60)

    assert await lanes.pause("a", "operator:night", 600, by_operator=True) == (600, True)
    assert await lanes.pause("a", "operator:night", 600, by_operator=True) == (600, True)
    assert await lanes.pause("a", "transient:x", 1) == (pytest.approx(600, abs=5), False)


async def test_it_is_known_for_how_long_a_lane_was_held_back(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.pause("a", "r", 60)
    since = int(await store.hget(keys.lane_state("a"), "since"))
    await store.hset(keys.lane_state("a"), "since", since - 90_000)

    assert (await lanes.state("a")).held_seconds == pytest.approx(90, abs=5)


# --- connect's hold ---


async def test_a_hold_and_a_pause_are_two_things_and_neither_ends_the_other(lanes: Lanes) -> None:
    await lanes.pause("a", "operator:stock-taking", 600, by_operator=True)
    await lanes.hold("a", "connect:new", 60)
    state = await lanes.state("a")
    assert (state.gate, state.reason) == (Gate.PAUSED, "operator:stock-taking")
    assert state.hold is not None
    assert 55 < state.hold <= 60

    await lanes.hold("a", "connect:off", None)
    state = await lanes.state("a")
    assert (state.gate, state.reason, state.seconds) == (Gate.PAUSED, "connect:off", None)

    # A person, or a probe that got through, ends the pause; we end the hold.
    assert await lanes.resume("a") is True
    assert (await lanes.state("a")).reason == "connect:off"
    await lanes.pause("a", "operator:again", None, by_operator=True)
    assert await lanes.end_hold("a") is True
    assert await lanes.end_hold("a") is False
    state = await lanes.state("a")
    assert (state.gate, state.reason, state.hold) == (Gate.PAUSED, "operator:again", 0)


async def test_no_pause_of_whatever_length_shortens_a_hold(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.hold("a", "connect:new", 60)
    await lanes.pause("a", "operator:short", 30, by_operator=True)
    await end_pause(store)
    state = await lanes.state("a", probe_seconds=9, asker="w")
    assert (state.gate, state.reason) == (Gate.PAUSED, "connect:new")


async def test_a_hold_that_lasted_its_time_is_over_and_nobody_has_to_probe(
    lanes: Lanes, store: ArqRedis
) -> None:
    await lanes.hold("a", "connect:new", 60)
    await store.set(keys.BATCH_NUMBER, 7)
    await store.hset(keys.lane_hold("a"), "until", "1")
    assert await lanes.state("a") == LaneState(Gate.OPEN)
    assert not await store.exists(keys.lane_hold("a"))
    # What waits by now is the backlog.
    assert await store.hget(keys.lane_pace("a"), "mark") == b"7"


async def test_a_clock_that_is_set_back_lengthens_no_hold(lanes: Lanes, store: ArqRedis) -> None:
    await lanes.hold("a", "connect:new", 60)
    for name in ("until", "set"):
        await store.hincrby(keys.lane_hold("a"), name, 3_600_000)
    for _ in range(2):
        seconds = (await lanes.state("a")).seconds
        assert seconds is not None
        assert 55 < seconds <= 60


async def test_what_a_person_opens_is_the_pause_and_only_then_the_hold(lanes: Lanes) -> None:
    await lanes.hold("a", "connect:off", None)
    await lanes.pause("a", "operator:x", None, by_operator=True)
    assert await lanes.open("a") is True
    assert (await lanes.state("a")).reason == "connect:off"
    assert await lanes.open("a") is True
    assert await lanes.open("a") is False
    assert (await lanes.state("a")).gate is Gate.OPEN


async def test_a_probe_that_gets_through_opens_no_pause_that_was_set_since(
    lanes: Lanes, store: ArqRedis
) -> None:
    await lanes.pause("a", "transient:http_503", 60)
    await end_pause(store)
    await lanes.state("a", probe_seconds=9, asker="w")
    await lanes.pause("a", "operator:x", None, by_operator=True)
    assert await lanes.resume("a", by_probe=True) is False
    assert (await lanes.state("a")).reason == "operator:x"


async def test_what_is_under_way_has_a_lease_and_a_lease_that_ran_out_is_nobodys(
    lanes: Lanes, store: ArqRedis
) -> None:
    batches = Batches(store, "w1")
    mine = [await batches.commit("a", b"frame", 1) for _ in range(3)]
    await batches.take([*mine, await batches.commit("ab", b"frame", 1)])
    await batches.release(mine[2], counts=True)
    assert await lanes.under_way("a") == 2

    await store.hset(keys.HELD, mine[0], "w1 1 1")
    assert await lanes.under_way("a") == 1
    # Should that worker wake up, it can book nothing.
    assert await batches.keep(mine[:2]) == mine[:1]
    assert [len(found) for found in await Batches(store, "w2").take(mine[:2])] == [1, 0]
