"""Whatever Redis says instead of what was expected: a word why, and the next command is answered
with its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from app.core.errors import ConfigError, StoreUnavailable
from app.store import keys
from app.store.batches import Batches
from app.store.connect import Store, open_store, open_swift_store, require_safe
from tests.conftest import RedisServer
from tests.resp_proxy import (
    CUT_AFTER,
    CUT_BEFORE,
    GARBAGE,
    HALF,
    Answer,
    Choose,
    RespProxy,
    error,
)

REPLIES = {
    "READONLY You can't write against a read only replica.": "readonly",
    "LOADING Redis is loading the dataset in memory": "loading",
    "OOM command not allowed when used memory > 'maxmemory'.": "full",
    "MOVED 3999 127.0.0.1:6381": "cluster",
    "ASK 3999 127.0.0.1:6381": "cluster",
    "TRYAGAIN Multiple keys request during rehashing of slot": "cluster",
    "CLUSTERDOWN The cluster is down": "cluster",
    "CROSSSLOT Keys in request don't hash to the same slot": "cluster",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "away",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL": "busy",
    "UNKILLABLE Sorry the script already executed write commands": "busy",
    "MISCONF Redis is configured to save RDB snapshots, but can't": "disk",
    "NOREPLICAS Not enough good replicas to write.": "replicas",
    "NOAUTH Authentication required.": "password",
    "WRONGPASS invalid username-password pair or user is disabled.": "password",
    "NOPERM this user has no permissions to run the 'evalsha' command": "permission",
    "ERR The user executing the script can't run this command or subcommand": "permission",
    "ERR ACL failure in script: No permissions to access a key": "permission",
    "ERR max number of clients reached": "away",
}
Open = Callable[[str], Store]


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[RespProxy]:
    async with RespProxy(redis_url.removeprefix("unix://")).running() as started:
        yield started


@pytest.fixture(params=[open_store, open_swift_store])
async def batches(proxy: RespProxy, request: pytest.FixtureRequest) -> AsyncIterator[Batches]:
    store = request.param(proxy.url)
    yield Batches(store, "me")
    await store.aclose(close_connection_pool=True)


def always(answer: Answer, *names: str) -> Choose:
    return lambda name: answer if not names or name in names else None


def once(answer: Answer, wanted: str) -> Choose:
    left = [answer]
    return lambda name: left.pop() if name == wanted and left else None


async def refused(batches: Batches) -> list[str]:
    """Why, for a commit, for two scripts that share a trip, and for a plain command."""

    async def why(ask: Callable[[], object]) -> str:
        with pytest.raises(StoreUnavailable) as caught:
            await ask()  # type: ignore[misc]
        return caught.value.reason

    shared = (batches.take(["a:1:1:1"]), batches.keep(["a:1:1:1"]))
    found = await asyncio.gather(*shared, return_exceptions=True)
    assert all(isinstance(each, StoreUnavailable) for each in found), found
    return [
        await why(lambda: batches.commit("a", b"frame", 1)),
        *(each.reason for each in found if isinstance(each, StoreUnavailable)),
        await why(batches.pulse),
    ]


@pytest.mark.parametrize(("reply", "reason"), REPLIES.items(), ids=lambda text: text.split()[0])
async def test_an_error_has_one_word_wherever_it_comes_and_all_goes_on_after(
    proxy: RespProxy, batches: Batches, reply: str, reason: str
) -> None:
    proxy.choose = always(error(reply))
    assert set(await refused(batches)) == {reason}
    proxy.heal()
    name = await batches.commit("a", b"frame", 1)
    assert (await batches.take([name]))[0][0].frame == b"frame"


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (GARBAGE, {"garbled"}),
        (HALF, {"away"}),
        (CUT_BEFORE, {"away"}),
        (CUT_AFTER, {"away"}),
        (Answer(b"$-5\r\n"), {"garbled", "away"}),
    ],
)
async def test_an_answer_that_is_none_is_no_bug_of_ours(
    proxy: RespProxy, batches: Batches, answer: Answer, reasons: set[str]
) -> None:
    proxy.choose = always(answer, "commit", "take", "keep", "set")
    assert set(await refused(batches)) <= reasons
    proxy.heal()
    name = await batches.commit("a", b"frame", 1)
    assert (await batches.take([name]))[0][0].frame == b"frame"


async def test_an_answer_that_comes_too_late_is_nobody_elses(
    proxy: RespProxy, batches: Batches
) -> None:
    proxy.choose = once(Answer(late=0.3), "commit")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await batches.commit("a", b"late", 1)
    names = [await batches.commit("a", b"frame", 1) for _ in range(20)]
    # The late one was written, as its caller must expect.
    assert sorted(int(name.rsplit(":", 1)[1]) for name in names) == list(range(2, 22))


async def test_a_lost_script_is_taught_again_alone_and_in_company(
    proxy: RespProxy, batches: Batches
) -> None:
    names = [await batches.commit("a", b"frame", 1) for _ in range(2)]
    await batches.redis.script_flush()
    name = await batches.commit("a", b"frame", 1)
    await batches.redis.script_flush()
    (taken, lost), late = await asyncio.gather(batches.take([*names, name]), batches.keep(names))
    assert (len(taken), lost, late) == (3, [], [])


async def test_a_commit_that_waits_for_replicas_is_taught_again_too(own_redis: RedisServer) -> None:
    store = open_store(own_redis.url)
    batches = Batches(store, wait_replicas=1)
    await store.script_flush()
    with pytest.raises(StoreUnavailable, match="replicas: 0 of 1"):
        await batches.commit("a", b"frame", 1)
    # It is on the queue once, as one whose answer was lost.
    assert len(await batches.open_ids()) == 1
    with pytest.raises(StoreUnavailable, match="replicas"):
        await batches.pressure()
    await store.aclose(close_connection_pool=True)


async def test_a_cluster_is_refused(tmp_path, own_redis: RedisServer) -> None:
    own_redis.kill()
    options = ("--cluster-enabled", "yes", "--port", "0", "--cluster-port", "23999")
    cluster = RedisServer(tmp_path, own_redis.binary, options)
    cluster.start()
    store = open_store(cluster.url)
    with pytest.raises(ConfigError, match="Cluster, and Sluice wants one Redis"):
        await require_safe(store)
    await store.aclose(close_connection_pool=True)
    cluster.kill()


@pytest.mark.parametrize("step", ["watch", "exists", "multi", "psetex", "zadd", "exec"])
@pytest.mark.parametrize(
    "answer", [error("BUSY wait"), GARBAGE, HALF, CUT_BEFORE, CUT_AFTER], ids=str
)
async def test_a_bell_that_cannot_be_rung_is_no_bug_of_ours(
    proxy: RespProxy, batches: Batches, step: str, answer: Answer
) -> None:
    """arq rings in a transaction that watches, and redis-py has an error of its own for each way
    in which that may break."""
    name = await batches.commit("a", b"frame", 1)
    proxy.choose = always(answer, step)
    with suppress(StoreUnavailable):
        await batches.ring_all([name])
    proxy.heal()
    await batches.ring_all([name])
    assert await batches.redis.zcard(keys.ARQ_QUEUE) == 1


async def test_a_replica_is_told_from_a_master(own_redis: RedisServer) -> None:
    store = open_store(own_redis.url)
    await store.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]
    [warning] = await require_safe(store)
    assert "SLUICE_REDIS_SENTINELS" in warning
    await store.aclose(close_connection_pool=True)
