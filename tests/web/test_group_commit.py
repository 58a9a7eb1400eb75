"""When a batch leaves, who shares it, and what its events are answered."""

from __future__ import annotations

import asyncio

from app.web.group_commit import _WORTH_A_COMMIT


async def test_one_client_that_posts_serially_never_waits_for_company(serve, fake_store):
    async with serve(linger_ms=60_000) as client:
        for n in range(5):
            assert await client.post(b"%d" % n) == 200
        assert [batch.bodies for batch in fake_store.batches] == [[b"%d" % n] for n in range(5)]


async def test_what_comes_during_a_commit_shares_the_next(serve, fake_store, until):
    async with serve(linger_ms=60_000) as client:
        fake_store.gate.clear()
        first = asyncio.create_task(client.post(b"first"))
        await until(lambda: fake_store.under_way == 1)
        others = [asyncio.create_task(client.post(b"%d" % n)) for n in range(5)]
        await until(lambda: client.receiver._pending.size == 10)
        fake_store.gate.set()

        assert await asyncio.gather(first, *others) == [200] * 6
        assert sorted(len(batch.bodies) for batch in fake_store.batches) == [1, 5]


async def test_after_linger_a_second_commit_starts_beside_the_first(serve, fake_store, until):
    async with serve(linger_ms=5) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"first"))]
        await until(lambda: fake_store.under_way == 1)
        posts.append(asyncio.create_task(client.post(b"second")))
        await until(lambda: fake_store.under_way == 2)
        fake_store.gate.set()
        assert await asyncio.gather(*posts) == [200, 200]


async def test_a_batch_that_is_full_leaves_without_waiting(serve, fake_store, until):
    async with serve(linger_ms=60_000, batch_max_events=3) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"first"))]
        await until(lambda: fake_store.under_way == 1)
        posts += [asyncio.create_task(client.post(b"%d" % n)) for n in range(3)]
        await until(lambda: fake_store.under_way == 2)
        fake_store.gate.set()
        assert await asyncio.gather(*posts) == [200] * 4


async def test_no_batch_holds_more_bytes_than_allowed_unless_one_body_does(serve, fake_store):
    async with serve(linger_ms=20, batch_max_bytes=1000) as client:
        sizes = [400, 400, 400, 5000, 400]
        statuses = await asyncio.gather(*(client.post(b"x" * size) for size in sizes))
        assert statuses == [200] * 5
        assert sum(len(body) for body in fake_store.bodies) == sum(sizes)
        for batch in fake_store.batches:
            assert sum(map(len, batch.bodies)) <= 1000 or len(batch.bodies) == 1


async def test_commits_under_way_are_bounded_and_nobody_is_forgotten(serve, fake_store, until):
    async with serve(linger_ms=0, batch_max_events=2, max_commits_in_flight=3) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"%d" % n)) for n in range(30)]
        await until(lambda: client.receiver._pending.size == 50 and fake_store.under_way == 3)
        fake_store.gate.set()

        assert await asyncio.gather(*posts) == [200] * 30
        assert fake_store.most_under_way == 3
        assert sorted(fake_store.bodies) == sorted(b"%d" % n for n in range(30))


async def test_an_idle_process_does_not_linger_over_a_batch_worth_a_commit(
    serve, fake_store, until
):
    async with serve(linger_ms=60_000) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"first"))]
        await until(lambda: fake_store.under_way == 1)
        posts += [asyncio.create_task(client.post(b"%d" % n)) for n in range(_WORTH_A_COMMIT)]
        await until(lambda: fake_store.under_way == 2)
        fake_store.gate.set()
        assert await asyncio.gather(*posts) == [200] * (_WORTH_A_COMMIT + 1)


async def test_a_failed_commit_is_503_for_every_event_in_it(serve, fake_store, unavailable, until):
    async with serve(linger_ms=60_000) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"first"))]
        await until(lambda: fake_store.under_way == 1)
        posts += [asyncio.create_task(client.post(b"%d" % n)) for n in range(4)]
        await until(lambda: client.receiver._pending.size == 9)
        fake_store.commit_fault = unavailable("full")
        fake_store.gate.set()
        assert await asyncio.gather(*posts) == [503] * 5
        assert fake_store.rung == []
        assert client.receiver._pending.size == 0


async def test_a_commit_that_hangs_is_answered_503_before_customerio_gives_up(serve, fake_store):
    async with serve(answer_deadline_seconds=0.05) as client:
        fake_store.gate.clear()
        assert await client.post(b"late") == 503
        assert client.headers["Retry-After"]
        assert client.receiver.shedding.reason == "slow"
        fake_store.gate.set()


async def test_what_was_not_yet_sent_at_the_deadline_is_not_sent_later(serve, fake_store, until):
    async with serve(answer_deadline_seconds=0.05, max_commits_in_flight=1, linger_ms=0) as client:
        fake_store.gate.clear()
        sent = asyncio.create_task(client.post(b"sent"))
        await until(lambda: fake_store.under_way == 1)
        waiting = asyncio.create_task(client.post(b"waiting"))
        assert await asyncio.gather(sent, waiting) == [503, 503]

        fake_store.gate.set()
        await until(lambda: fake_store.under_way == 0)
        assert fake_store.bodies == [b"sent"]
        assert client.receiver._pending.size == 0


async def test_a_commit_that_never_returns_gives_its_place_back(serve, fake_store, until):
    async with serve(
        answer_deadline_seconds=0.02, commit_timeout_seconds=0.05, max_commits_in_flight=1
    ) as client:
        fake_store.gate.clear()
        assert await client.post(b"hangs") == 503
        await until(lambda: fake_store.under_way == 0)
        fake_store.gate.set()
        await client.receiver.shedding.poll()
        assert await client.post(b"fine") == 200


async def test_too_many_bytes_in_memory_are_refused(serve, fake_store, until):
    async with serve(pending_max_bytes=1000) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"x" * 1500))]
        await until(lambda: fake_store.under_way == 1)
        assert await client.post(b"one too many") == 503
        fake_store.gate.set()
        assert await asyncio.gather(*posts) == [200]


async def test_workers_are_rung_for_every_batch_but_not_every_time(serve, fake_store, until):
    async with serve(ring_interval_ms=50) as client:
        for n in range(6):
            assert await client.post(b"%d" % n) == 200
        await until(lambda: len(fake_store.rung) == 6)
        assert len(set(fake_store.rung)) == 6


async def test_a_bell_that_fails_changes_no_answer(serve, fake_store, unavailable):
    async def broken(batch_ids):
        raise unavailable("away")

    fake_store.ring_all = broken
    async with serve() as client:
        assert [await client.post() for _ in range(3)] == [200] * 3


async def test_a_client_that_goes_away_takes_nobody_with_it(serve, fake_store, until):
    async with serve(linger_ms=60_000) as client:
        fake_store.gate.clear()
        posts = [asyncio.create_task(client.post(b"%d" % n)) for n in range(3)]
        await until(lambda: client.receiver._pending.size == 3)
        posts[1].cancel()
        await asyncio.gather(posts[1], return_exceptions=True)
        fake_store.gate.set()
        assert [await posts[0], await posts[2]] == [200, 200]
        assert sorted(fake_store.bodies) == [b"0", b"1", b"2"]


async def test_the_real_store_holds_what_was_acknowledged(serve, store):
    from app.core.batch import decode
    from app.store.batches import Batches

    batches = Batches(store, owner="test")
    async with serve(store=batches, linger_ms=1) as client:
        statuses = await asyncio.gather(*(client.post(b"%d" % n) for n in range(200)))
        assert statuses == [200] * 200

    taken, _ = await batches.take([str(batch_id) for batch_id, _ in await batches.open_ids()])
    bodies = [body for each in taken for body in decode(each.frame).bodies]
    assert sorted(bodies) == sorted(b"%d" % n for n in range(200))
