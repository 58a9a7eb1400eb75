"""fsck finds every kind of damage, mends what can be mended, and finds nothing then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from app.core.dead_letter import DeadLetter
from app.sandbox.traffic import generate
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.fsck import Finding, Fsck
from app.store.ledger import Ledger
from tests.dead import bury, letter_of

NUMBER = 140


def made(count: int = 300) -> list[DeadLetter]:
    return [letter_of(body, at) for at, body in enumerate(generate(1, count, body_bytes=300))]


async def check(store: Store, *, mend: bool = False) -> list[Finding]:
    return [finding async for finding in Fsck(store, mend=mend).run()]


async def image(store: Store) -> dict[bytes, object]:
    """All that is kept of dead letters, whatever order it is kept in."""
    found: dict[bytes, object] = {}
    for key in await store.keys(f"{keys.DEAD}*"):
        kind = await store.type(key)
        if kind == b"hash":
            found[key] = await store.hgetall(key)  # type: ignore[misc]  # redis-py's stub
        elif kind == b"set":
            found[key] = await store.smembers(key)  # type: ignore[misc]
        elif kind == b"zset":
            found[key] = await store.zrange(key, 0, -1, withscores=True)
        elif key.startswith(f"{keys.DEAD}t:".encode()):
            noted = await store.get(key) or b""
            found[key] = sorted(noted[at : at + 8] for at in range(0, len(noted), 8))
        else:
            found[key] = await store.get(key)
    return found


async def lose_a_set(store: Store) -> None:
    [key] = await store.keys(f"{keys.DEAD}i:a:0")
    await store.delete(key)


async def lose_tokens(store: Store) -> None:
    await store.delete(*await store.keys(f"{keys.DEAD}t:0:[3-6]"))


async def lose_blocks(store: Store) -> None:
    await store.delete(f"{keys.DEAD}blocks", f"{keys.DEAD}spans")


async def name_letters_that_are_none(store: Store) -> None:
    for key in await store.keys(f"{keys.DEAD}i:k:*:0"):
        await store.sadd(key, 511)  # type: ignore[misc]


async def count_wrongly(store: Store) -> None:
    await store.hincrby(keys.DEAD_COUNTS, "example", 3)  # type: ignore[misc]
    for key in await store.keys(f"{keys.DEAD}group:*"):
        await store.hincrby(key, "live", -1)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lose_a_set, "letter"),
        (lose_tokens, "letter"),
        (lose_blocks, "letter"),
        (name_letters_that_are_none, "orphan"),
        (count_wrongly, "count"),
    ],
)
async def test_damage_is_found_and_mended_to_what_it_was(
    store: Store, damage: Callable[[Store], Awaitable[None]], what: str
) -> None:
    await bury(store, made())
    before = await image(store)
    assert await check(store) == []
    await damage(store)

    found = await check(store)
    assert {finding.what for finding in found} >= {what}
    assert not any(finding.mended for finding in found)
    assert await check(store) == found
    mended = await check(store, mend=True)
    assert all(finding.mended for finding in mended)
    assert await check(store) == []
    scores = f"{keys.DEAD}groups:live".encode()
    assert (await image(store)) | {scores: 0} == before | {scores: 0}


async def test_a_letter_that_lost_its_summary_is_made_whole_of_its_payload(store: Store) -> None:
    letters, given = DeadLetters(store), made()
    numbers = await bury(store, given)
    lost, torn = numbers[NUMBER], numbers[NUMBER + 1]
    await store.hdel(keys.dead_bucket(lost), str(lost))  # type: ignore[misc]
    await store.hset(keys.dead_bucket(torn), str(torn), b"\xc1")  # type: ignore[misc]

    assert {f.where for f in await check(store) if f.what == "orphan"} >= {str(lost), str(torn)}
    await check(store, mend=True)
    assert await check(store) == []

    found = await letters.get([lost, torn])
    assert [letter.body for letter in found] == [x.body for x in given[NUMBER : NUMBER + 2]]
    assert {letter.summary.code for letter in found} == {"summary_lost"}
    assert found[0].summary.event_id == given[NUMBER].summary.event_id
    assert len([x async for x in letters.find(Filter())]) == len(numbers)
    assert (await Ledger(store).read()).faults == ()
    await letters.replay(numbers, 1)
    assert (await Ledger(store).read()).faults == ()


async def test_a_lost_payload_is_told_and_can_only_be_discarded(store: Store) -> None:
    letters = DeadLetters(store)
    numbers = await bury(store, made(20))
    await store.hdel(keys.DEAD_PAYLOADS, str(numbers[3]))  # type: ignore[misc]

    [finding] = await check(store, mend=True)
    assert (finding.what, finding.where, finding.mended) == ("letter", str(numbers[3]), False)
    assert await letters.get(numbers[3:4]) == []
    assert await letters.discard(await letters.summaries(numbers[3:4])) == 1
    assert await check(store) == []
