"""When everything is refused, and how that ends."""

from __future__ import annotations

import asyncio

import pytest

from app.store.batches import Batches, Pressure
from app.store.connect import open_store


@pytest.mark.parametrize(
    ("pressure", "reason"),
    [
        (Pressure(901, 1000, 0, 0), "memory"),
        (Pressure(900, 1000, 0, 0), ""),
        (Pressure(10**12, 0, 0, 0), ""),
        (Pressure(0, 1000, 101, 1), "backlog"),
        (Pressure(0, 1000, 100, 1), ""),
    ],
)
async def test_a_full_store_or_a_long_backlog_sheds(serve, fake_store, pressure, reason):
    fake_store.pressed = pressure
    async with serve(memory_share=0.9, backlog_max_events=100) as client:
        await client.receiver.shedding.poll()
        assert client.receiver.shedding.reason == reason
        assert await client.post() == (503 if reason else 200)
        assert fake_store.calls == (0 if reason else 1)


async def test_shedding_ends_only_well_below_the_bound(serve, fake_store):
    async with serve(memory_share=0.9) as client:
        shedding = client.receiver.shedding
        for used, reason in ((901, "memory"), (899, "memory"), (850, ""), (899, "")):
            fake_store.pressed = Pressure(used, 1000, 0, 0)
            await shedding.poll()
            assert shedding.reason == reason


async def test_a_store_that_is_away_sheds_and_its_return_ends_it(
    serve, fake_store, unavailable, capsys
):
    async with serve() as client:
        fake_store.fault = unavailable("away")
        for _ in range(3):
            await client.receiver.shedding.poll()
        assert await client.post() == 503
        assert client.headers["Retry-After"] == "5"
        assert await client.metric("sluice_receiver_shedding", reason="away") == 1
        assert await client.request("GET", "/readyz") == 503

        fake_store.fault = None
        await client.receiver.shedding.poll()
        assert await client.post() == 200
        assert await client.metric("sluice_receiver_shedding", reason="away") == 0

    said = capsys.readouterr().out
    assert said.count("shedding.started") == said.count("shedding.ended") == 1


async def test_a_store_that_answers_polls_but_takes_nothing_is_tried_once_per_poll(
    serve, fake_store, unavailable, capsys
):
    async with serve() as client:
        fake_store.commit_fault = unavailable("readonly")
        for _ in range(3):
            assert await client.post() == 503
            assert await client.post() == 503
            await client.receiver.shedding.poll()
        assert fake_store.calls == 3

        fake_store.commit_fault = None
        assert await client.post() == 200

    said = capsys.readouterr().out
    assert said.count("shedding.started") == said.count("shedding.ended") == 1


async def test_a_poll_that_hangs_sheds(serve, fake_store):
    async def hang():
        await asyncio.Event().wait()

    fake_store.pressure = hang
    async with serve(pressure_timeout_seconds=0.02) as client:
        await client.receiver.shedding.poll()
        assert client.receiver.shedding.reason == "slow"


async def test_readiness_asks_the_store_at_most_once_a_second(serve, fake_store):
    async with serve(ping_cache_seconds=60) as client:
        answers = await asyncio.gather(*(client.request("GET", "/readyz") for _ in range(20)))
        assert set(answers) == {200}
        assert fake_store.pings == 1


async def test_liveness_does_not_ask_the_store(serve, fake_store, unavailable):
    fake_store.fault = unavailable("away")
    async with serve() as client:
        assert await client.request("GET", "/healthz") == 200
        assert fake_store.pings == 0


@pytest.mark.crash
async def test_a_real_server_that_dies_and_returns_is_shed_and_recovered(serve, own_redis, until):
    redis = open_store(own_redis.url, timeout_seconds=1)
    async with serve(store=Batches(redis), pressure_interval_seconds=0.05) as client:
        watch = asyncio.create_task(client.receiver.shedding.run())
        assert await client.post(b"before") == 200

        own_redis.kill()
        assert await client.post(b"while away") == 503
        assert await client.request("GET", "/readyz") in (200, 503)

        await asyncio.to_thread(own_redis.start)
        await until(lambda: client.receiver.shedding.reason == "")
        assert await client.post(b"after") == 200
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    await redis.aclose(close_connection_pool=True)
