"""Lines: a lane in trouble takes no other's place, and what waits is taken up in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.batches import Batches
from app.store.lanes import Lanes
from app.store.waiting import Waiting
from worker.lane import Room
from worker.lines import Lines

WIDE = Room(64, 2_000)


@dataclass
class ScriptedLane:
    now: Room = WIDE
    given_back: list[Room] = field(default_factory=list)

    async def room(self) -> Room:
        return self.now

    async def give_back(self, room: Room) -> None:
        self.given_back.append(room)


@dataclass
class ScriptedDesk:
    """Works until it is told to stop; remembers what it was given, and how much at a time."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    given: list[list[str]] = field(default_factory=list)
    busy: int = 0
    progress: int = 0

    async def answer(self, batch_ids: Sequence[str]) -> None:
        self.given.append(list(batch_ids))
        self.busy += 1
        await self.go.wait()
        self.busy -= 1

    @property
    def names(self) -> list[str]:
        return [name for part in self.given for name in part]


@dataclass
class Place:
    store: ArqRedis
    jobs: int = 8

    def __post_init__(self) -> None:
        self.batches = Batches(self.store, "w")
        self.waiting = Waiting(self.store)
        self.desk = ScriptedDesk()
        self.lanes = {"a": ScriptedLane(), "b": ScriptedLane()}
        self.lines = Lines(self.desk, self.waiting, self.lanes, self.jobs)

    async def commit(self, connection: str, count: int = 1) -> list[str]:
        return [await self.batches.commit(connection, b"frame", 1) for _ in range(count)]

    async def ring(self, *batch_ids: str) -> None:
        task = asyncio.create_task(self.lines.answer(batch_ids))
        self.tasks = [*getattr(self, "tasks", []), task]
        # Until it works on them or has laid them aside.
        before = len(self.desk.given)
        while not task.done() and len(self.desk.given) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def rest(self) -> None:
        """Until everything that can go on has."""
        self.desk.go.set()
        while await self.waiting.connections() or self.desk.busy:
            await self.lines.look()
            await asyncio.sleep(0.001)
        await asyncio.gather(*getattr(self, "tasks", []))
        await self.lines.stop(1)


@pytest.fixture
def place(store: ArqRedis) -> Place:
    return Place(store)


async def test_a_bell_with_room_is_worked_on(place: Place) -> None:
    names = await place.commit("a", 3)
    await place.ring(*names)

    assert place.desk.given == [names]
    await place.rest()


async def test_a_bell_for_a_held_lane_is_laid_aside_and_its_place_is_free_at_once(
    place: Place,
) -> None:
    place.lanes["a"].now = Room(0, 0)
    held, good = await place.commit("a", 2), await place.commit("b", 2)

    await place.ring(*held, *good)
    async with asyncio.timeout(10):
        while not place.desk.progress:  # noqa: ASYNC110  # laid aside beside the work on the others
            await asyncio.sleep(0.001)

    assert place.desk.names == good
    assert await place.waiting.pull("a", 9, 9) == held
    await place.rest()


async def test_a_slow_lane_holds_its_share_of_the_jobs_and_no_more(place: Place) -> None:
    slow = await place.commit("a", 20)
    for name in slow:
        await place.ring(name)
    good = await place.commit("b", 3)
    for name in good:
        await place.ring(name)

    assert [name[0] for name in place.desk.names].count("a") == place.jobs // 2
    assert place.desk.names[-3:] == good
    await place.rest()
    assert sorted(place.desk.names) == sorted(slow + good)


async def test_a_lane_beside_many_slow_ones_still_gets_its_two_jobs(store: ArqRedis) -> None:
    place = Place(store, jobs=2)
    for name in await place.commit("a", 5):
        await place.ring(name)
    good = await place.commit("b", 2)
    for name in good:
        await place.ring(name)

    assert place.desk.names[-2:] == good
    assert place.lines.bells_at_once >= 2 + 4
    await place.rest()


async def test_with_one_connection_all_jobs_are_its_own(store: ArqRedis) -> None:
    place = Place(store)
    place.lines = Lines(place.desk, place.waiting, {"a": place.lanes["a"]}, 8)
    for name in await place.commit("a", 10):
        await place.ring(name)

    assert len(place.desk.given) == 8
    await place.rest()


async def test_when_the_lane_goes_on_the_backlog_and_newer_batches_take_turns(
    place: Place, store: ArqRedis
) -> None:
    lanes = Lanes(store)
    place.lanes["a"].now = Room(0, 0)
    await lanes.pause("a", "transient:x", 1)
    old = await place.commit("a", 3)
    await place.ring(*old)
    await lanes.resume("a")
    new = await place.commit("a", 3)
    await place.ring(*new)
    place.lanes["a"].now = Room(1, 1)

    await place.rest()

    assert [name for name in place.desk.names if name in old] == old
    assert [name for name in place.desk.names if name in new] == new
    assert {place.desk.names[0], place.desk.names[1]} == {old[0], new[0]}


async def test_a_probe_gets_one_batch_of_a_bell(place: Place) -> None:
    place.lanes["a"].now = Room(1, 1)
    names = await place.commit("a", 3)
    await place.ring(*names)

    assert place.desk.given == [names[:1]]
    await place.rest()
    # Probes take turns, so the newest may come before the second.
    assert sorted(place.desk.names) == sorted(names)


async def test_probes_take_turns_between_the_oldest_and_the_newest(place: Place) -> None:
    place.lanes["a"].now = Room(0, 0)
    names = await place.commit("a", 4)
    await place.ring(*names)
    place.lanes["a"].now = Room(1, 1, probe=1)

    await place.rest()

    assert set(place.desk.names[:2]) == {names[0], names[-1]}


async def test_a_room_is_given_back_when_its_work_is_done_with(place: Place) -> None:
    """Whatever became of it: what had nothing to send holds no probe back."""
    place.lanes["a"].now = room = Room(1, 1, probe=3)
    await place.ring(*await place.commit("a"))
    assert place.lanes["a"].given_back == []

    await place.rest()

    assert place.lanes["a"].given_back[0] is room


async def test_a_probe_that_finds_no_place_is_given_back(place: Place) -> None:
    for name in await place.commit("a", 20):
        await place.ring(name)
    room = place.lanes["a"].now = Room(1, 1, probe=3)

    await place.ring(*await place.commit("a"))

    assert place.lanes["a"].given_back[-1] is room
    await place.rest()


async def test_a_probe_that_finds_nothing_waiting_is_given_back(place: Place) -> None:
    room = place.lanes["a"].now = Room(1, 1, probe=3)
    await place.store.sadd(keys.WAITING, "a")  # it was settled meanwhile

    await place.rest()

    assert place.lanes["a"].given_back == [room]


async def test_a_room_is_given_back_to_the_lane_that_had_it(place: Place) -> None:
    old = place.lanes["a"]
    old.now = Room(1, 1, probe=3)
    await place.ring(*await place.commit("a"))

    place.lines.follow({"a": ScriptedLane(), "b": place.lanes["b"]})
    await place.rest()

    assert old.given_back == [old.now]


async def test_a_connection_without_a_lane_is_the_desks_affair(place: Place) -> None:
    names = await place.commit("gone")
    await place.ring(*names)

    assert place.desk.given == [names]
    await place.rest()


async def test_a_stopping_worker_takes_nothing_up_and_cancels_what_is_late(place: Place) -> None:
    names = await place.commit("a", 2)
    await place.waiting.park("a", names)
    await place.lines.look()
    while not place.desk.given:  # noqa: ASYNC110
        await asyncio.sleep(0.001)

    await place.lines.stop(0.01)
    await place.waiting.park("a", await place.commit("a"))
    await place.lines.look()

    assert place.desk.given == [names]
    assert await place.waiting.connections() == {"a"}


async def test_lanes_come_and_go_while_others_work(place: Place) -> None:
    place.lanes["a"].now = Room(1, 1)
    first, *rest = await place.commit("a", 3)
    await place.ring(first, *rest)
    before = place.lines.bells_at_once

    place.lines.follow({"b": place.lanes["b"], "c": ScriptedLane()})

    assert place.lines.bells_at_once == before
    new = await place.commit("c")
    await place.ring(*new)
    # What was laid aside for the lane that is gone stays where it is, though a job of it ends.
    place.desk.go.set()
    await asyncio.gather(*place.tasks)
    await place.lines.look()
    await place.lines.stop(1)
    assert place.desk.names == [first, *new]
    assert await place.waiting.pull("a", 8, 8) == rest
