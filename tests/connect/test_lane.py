"""The lane as connect holds and opens it: the real one, and the one that stands for it in tests."""

from __future__ import annotations

import asyncio
import time

import pytest
from arq.connections import ArqRedis

from app.connect.lane import Lane
from app.connect.run import Lane as Steps
from app.store import keys
from app.store.lanes import Lanes
from tests.connect.stage import FrontLane


@pytest.fixture(params=["real", "of the stage"])
def lane(request: pytest.FixtureRequest, store: ArqRedis) -> Steps:
    return Lane(store, "acme") if request.param == "real" else FrontLane(time.time)


async def test_a_hold_has_an_end_or_none_and_the_last_word_counts(lane: Steps) -> None:
    assert (await lane.held(), await lane.held_for(), await lane.said()) == (False, 0, ("open", ""))
    await lane.hold(60, "the dataflow is new")
    left = await lane.held_for()
    assert left is not None
    assert 55 < left <= 60
    await lane.hold(None, "the dataflow is disabled")
    assert (await lane.held(), await lane.held_for()) == (True, None)
    state, reason = await lane.said()
    assert state == "paused"
    assert reason.startswith("connect:")
    await lane.hold(0.001, "the dataflow is new")
    await asyncio.sleep(0.01)
    assert (await lane.held_for(), await lane.said()) == (0, ("open", ""))


async def test_it_opens_what_it_holds_and_says_so(lane: Steps) -> None:
    await lane.hold(None, "the dataflow is disabled")
    assert await lane.open()
    assert await lane.open()
    assert not await lane.held()


@pytest.mark.parametrize("seconds", [None, 600.0])
async def test_what_a_person_paused_is_neither_opened_nor_forgotten(
    store: ArqRedis, seconds: float | None
) -> None:
    """Before our hold, or in the middle of it; with an end, or without."""
    lane, lanes = Lane(store, "acme"), Lanes(store)
    for first in (True, False):
        if first:
            await lanes.pause("acme", "operator:x", seconds, by_operator=True)
        await lane.hold(300, "the dataflow is new")
        if not first:
            await lanes.pause("acme", "operator:x", seconds, by_operator=True)
        assert not await lane.open()
        assert await lane.said() == ("paused", "operator:x")
        assert await lane.held_for() == 0
        await lanes.resume("acme")
        assert await lane.said() == ("open", "")


async def test_what_a_person_opens_too_early_is_still_held(store: ArqRedis) -> None:
    lane, lanes = Lane(store, "acme"), Lanes(store)
    await lane.hold(None, "the dataflow is disabled")
    await lanes.pause("acme", "operator:x", 60, by_operator=True)
    await store.hset(keys.lane_state("acme"), "until", "1")
    assert await lane.said() == ("paused", "connect:the dataflow is disabled")
    await lanes.pause("acme", "operator:x", None, by_operator=True)
    assert await lanes.open("acme")
    assert await lane.said() == ("paused", "connect:the dataflow is disabled")
