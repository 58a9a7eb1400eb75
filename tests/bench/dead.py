"""dead: a million dead letters of forty causes: what one costs, and how long a page takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from app.core.dead_letter import about_of, encode_letter
from app.store import keys
from app.store.connect import Store, open_store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import GroupFilter, Groups, Order
from tests.bench import corpus
from tests.bench.dead_replay import replaying
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.services import Server, redis_server
from tests.bench.stage import Stage
from tests.dead import CAUSES, START_MS, letter_of, load

_GOAL_PAGE: Final = "<= 100"
_GOAL_ADD: Final = "<= 2"
# Letters that are added one hundred at a time, to see what that costs.
_ADDED: Final = 20_000
_BODIES: Final = 20_000
# Letters that a bulk replay is made of.
_REPLAYED: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Page:
    """`asks` gives a value only to be looked at."""

    name: str
    asks: Callable[[], Awaitable[Any]]


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Figures of the dead letter store; one round, for what matters is how many there are."""
    plan.say(f"dead: making {plan.dead_letters:,} dead letters")
    with redis_server(stage, safe=False) as server:
        return asyncio.run(_measure(server, plan))


async def _measure(server: Server, plan: Plan) -> list[Figure]:
    redis = open_store(server.url, timeout_seconds=60)
    bodies = corpus.bodies(_BODIES)
    figures = [
        *await _adding(redis, bodies, "add_40_causes", len(CAUSES)),
        *await _adding(redis, bodies, "add_1_cause", 1),
        _encoding(bodies),
    ]
    before, began = server.memory(), time.monotonic()
    await load(redis, plan.dead_letters, bodies)
    each = (server.memory() - before) / plan.dead_letters
    payload = int(await redis.get(keys.DEAD_BYTES) or 0) / plan.dead_letters
    plan.say(f"dead: loaded in {time.monotonic() - began:.0f} s, {each:.0f} bytes a letter")
    figures.append(Figure("dead.memory", each, "bytes", None, ("its payload", payload), (each,)))
    for page in await _pages(redis, plan.dead_letters):
        took = [await _server_ms(redis, page.asks) for _ in range(5)]
        figures.append(Figure(f"dead.page_{page.name}", max(took), "ms", _GOAL_PAGE, None, took))
    figures += await replaying(redis, min(_REPLAYED, plan.dead_letters // 2))
    await redis.aclose(close_connection_pool=True)
    return figures


async def _adding(redis: Store, bodies: list[bytes], name: str, causes: int) -> list[Figure]:
    """CPU that Redis takes for a hundred letters of so many causes, over just keeping payload and
    summary."""
    key = b"k" * 32
    letters_ = (letter_of(body, at, causes=causes) for at, body in enumerate(bodies[:_ADDED]))
    encoded = [encode_letter(letter, key) for letter in letters_]
    letters = DeadLetters(redis)
    began = await _cpu(redis)
    for at in range(0, _ADDED, 100):
        await letters.put_encoded(encoded[at : at + 100])
    ours = (await _cpu(redis) - began) / _ADDED * 100_000
    await redis.flushall()
    began = await _cpu(redis)
    for at in range(0, _ADDED, 100):
        part = dict(enumerate(encoded[at : at + 100], at))
        async with redis.pipeline(transaction=True) as trip:
            trip.hset("payloads", mapping={str(n): each.payload for n, each in part.items()})
            trip.hset("summaries", mapping={str(n): each.summary for n, each in part.items()})
            await trip.execute()
    bare = (await _cpu(redis) - began) / _ADDED * 100_000
    await redis.flushall()
    versus = ("two HSET", bare)
    return [Figure(f"dead.{name}", ours, "ms CPU a hundred", _GOAL_ADD, versus, (ours,))]


def _encoding(bodies: list[bytes]) -> Figure:
    """CPU of the worker that makes payload, summary, cause and tokens of a hundred letters."""
    letters = [letter_of(body, at) for at, body in enumerate(bodies[:_ADDED])]
    key = b"k" * 32
    began = time.process_time()
    for letter in letters:
        encode_letter(letter, key)
    ms = (time.process_time() - began) / len(letters) * 100_000
    return Figure("dead.add_worker", ms, "ms CPU a hundred", None, None, (ms,))


async def _pages(redis: Store, count: int) -> list[_Page]:
    letters, groups = DeadLetters(redis), Groups(redis)
    newest = (await letters.page(Filter(), limit=1)).letters[0]
    [middle] = await letters.get([count // 2])
    like = middle.summary
    half_ms = START_MS + count // 2 * 1_000
    filters = {
        "list": Filter(),
        "connection": Filter(connection=like.connection),
        "class": Filter(failure=like.failure),
        "group": Filter(fingerprint=like.fingerprint),
        "kind": Filter(kind=like.kind),
        "campaign": Filter(campaign=newest.campaign or "newsletter:1"),
        "version": Filter(mapping=like.mapping),
        "code": Filter(code=like.code),
        "text": Filter(text="no date"),
        "time": Filter(died_before_ms=half_ms, died_after_ms=half_ms - 100_000),
        "event": Filter(event_id=like.event_id),
        "person": Filter(person=about_of(middle.body).people[0]),
        "three_fields": Filter(kind=like.kind, fingerprint=like.fingerprint, mapping=like.mapping),
        "nothing": Filter(kind="none.such", text="no date"),
    }
    pages = [_Page(name, _asking(letters, wanted)) for name, wanted in filters.items()]
    for order in Order:

        async def ask(order: Order = order) -> object:
            return await groups.page(GroupFilter(), order=order)

        pages.append(_Page(f"groups_{order.value}", ask))
    return pages


def _asking(letters: DeadLetters, wanted: Filter) -> Callable[[], Awaitable[Any]]:
    return lambda: letters.page(wanted)


async def _server_ms(redis: Store, ask: Callable[[], Awaitable[Any]]) -> float:
    """What Redis says it worked for an answer."""
    await redis.config_resetstat()
    await ask()
    stats = await redis.info("commandstats")
    # Commands of a script are in its own time.
    named = ("evalsha", "eval", "zrange", "zrevrangebyscore", "hgetall", "hget")
    own = stats.get("cmdstat_evalsha") or stats.get("cmdstat_eval")
    if own is not None:
        return float(own["usec"]) / 1_000
    return sum(float(stats[f"cmdstat_{n}"]["usec"]) for n in named if f"cmdstat_{n}" in stats) / 1e3


async def _cpu(redis: Store) -> float:
    """Seconds of CPU that Redis has used."""
    found = await redis.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])
