"""Platform refuses, hangs, lies or locks us out: events wait, and none dies of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.sandbox.traffic import Shot, generate
from app.sandbox.traffic import ShotKind as Kind
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Lanes
from tests.e2e.system import SECRET_NAME, System, running

# Each is a plain "no": nothing was taken in, so nothing may come twice.
REFUSALS: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 502},
    {"status": 503},
    {"status": 503, "retry_after": 1},
    {"status": 429},
    {"status": 429, "retry_after": 1},
    {"status": 408},
    {"cut": "before"},
    {"hang": True},
]
# Taken in, and the answer does not say so.
UNCLEAR: list[dict[str, Any]] = [{"cut": "after"}, {"garbage": True}, {"short_answer": True}]


def events(seed: int, count: int) -> Iterator[Shot]:
    bodies = generate(seed, count)
    return (Shot(Kind.EVENT, number, body) for number, body in enumerate(bodies))


async def resume(system: System, connection: str) -> None:
    """What else happens by itself, a minute after the lane was paused."""
    async with system.store() as store:
        assert await Lanes(store).resume(connection)


async def test_platform_refuses_everything_then_recovers_and_all_is_delivered_once(
    system: System,
) -> None:
    ids: set[str] = set()
    for turn, refusal in enumerate(REFUSALS):
        await system.fault(**refusal)
        ids |= (await system.send(events(turn, 150))).ids
        await system.fault_hit()
        row = await system.row()
        assert (row.in_flight, row.dead) == (150, 0), refusal
        await system.recover()
        row = await system.settled()
        assert (row.delivered, row.dead) == (len(ids), 0), refusal

    assert await system.arrived() == dict.fromkeys(ids, 1)


async def test_answers_that_say_nothing_lose_nothing_and_repeats_are_counted(
    system: System,
) -> None:
    ids: set[str] = set()
    for turn, rule in enumerate(UNCLEAR):
        await system.fault(**rule)
        ids |= (await system.send(events(100 + turn, 60))).ids
        await system.fault_hit()
        await system.recover()
        await system.settled()

    row = await system.row()
    arrived = await system.arrived()
    assert (row.delivered, row.dead) == (len(ids), 0)
    assert arrived.keys() == ids
    counts = await system.ask("/received")
    assert counts["repeats"] == sum(arrived.values()) - len(ids) > 0


async def test_a_platform_that_cannot_be_reached_loses_nothing(system: System) -> None:
    attempts = len(system.workers[0].lines("delivery.attempted"))
    system.sandbox.kill()
    sent = await system.send(events(200, 200))
    await system.workers[0].logged("delivery.attempted", attempts + 1)

    system.sandbox.start()

    row = await system.settled()
    assert (row.delivered, row.dead) == (200, 0)
    assert await system.arrived() == dict.fromkeys(sent.ids, 1)


async def test_of_a_batch_only_the_refused_messages_die_and_a_replay_delivers_them(
    system: System,
) -> None:
    await system.fault(partial=0.2, partial_status=400)
    sent = await system.send(events(300, 400))

    row = await system.settled()

    refused = (await system.ask("/received"))["refused"]
    arrived = await system.arrived()
    async with system.store() as store:
        letters = [letter async for letter in DeadLetters(store).find(Filter())]
    assert 0 < row.dead == refused < 200
    assert row.delivered == 400 - refused
    assert {letter.failure for letter in letters} == {"contract"}
    assert {letter.event_id for letter in letters} == sent.ids - arrived.keys()
    assert set(arrived.values()) == {1}

    await system.recover()
    replayed = await system.sluice("dead-letters", "replay", "--all", "--json")

    assert (replayed.code, replayed.json["frozen"], replayed.json["put"]) == (0, refused, refused)
    row = await system.settled()
    assert (row.delivered, row.dead) == (400, 0)
    assert await system.arrived() == dict.fromkeys(sent.ids, 1)


async def test_messages_refused_for_now_are_sent_again_without_their_neighbours(
    system: System,
) -> None:
    await system.fault(partial=0.3, partial_status=503)
    sent = await system.send(events(400, 400))

    row = await system.settled()

    assert (await system.ask("/received"))["refused"] > 0
    assert (row.delivered, row.dead) == (400, 0)
    assert await system.arrived() == dict.fromkeys(sent.ids, 1)


async def test_a_blocked_address_pauses_the_lane_and_kills_no_event(system: System) -> None:
    before = len(system.workers[0].lines("lane.paused"))
    await system.fault(blocked=True)
    sent = await system.send(events(500, 50))
    paused = await system.workers[0].logged("lane.paused", before + 1)
    assert (paused["reason"], paused["status"]) == ("blocked", 403)

    await system.recover()
    await resume(system, "example")

    row = await system.settled()
    assert (row.delivered, row.dead) == (50, 0)
    assert await system.arrived() == dict.fromkeys(sent.ids, 1)


async def test_wrong_credentials_pause_one_lane_until_a_worker_has_the_right_ones(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, environ={SECRET_NAME: "not-the-secret"}) as system:
        sent = await system.send(events(600, 50), "guarded")
        paused = await system.workers[0].logged("lane.paused")
        others = await system.send(events(601, 50), "example")
        await system.settled("example")

        assert (paused["connection"], paused["reason"]) == ("guarded", "credentials")
        assert await system.arrived("example") == dict.fromkeys(others.ids, 1)
        row = await system.row("guarded")
        assert (row.in_flight, row.dead) == (50, 0)
        assert "not-the-secret" not in system.workers[0].log

        system.workers[0].terminate()
        assert await system.workers[0].ended() == 0
        mended = system.process("mended", "-m", "worker", **{SECRET_NAME: "sandbox-secret"})
        system.workers.append(mended)
        mended.start()
        await resume(system, "guarded")

        row = await system.settled("guarded")
        assert (row.delivered, row.dead) == (50, 0)
        assert await system.arrived("guarded") == dict.fromkeys(sent.ids, 1)
