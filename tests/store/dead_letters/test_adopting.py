"""Dead letters of the release before fingerprints: counted at once, listed when adopted."""

from __future__ import annotations

from dataclasses import asdict

from app.core.batch import pack
from app.core.dead_letter import DeadLetter
from app.sandbox.traffic import generate
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.adopting import STEP
from app.store.dead_letters.upkeep import Upkeep
from app.store.ledger import Ledger
from tests.dead import letter_of, numbered


async def write_as_before(store: Store, letters: list[DeadLetter]) -> list[int]:
    """Payload, summary and index as the release before fingerprints wrote them."""
    numbers = []
    for letter in letters:
        number = await store.incr(keys.DEAD_NUMBER)
        summary = asdict(letter.summary)
        for name in ("number", "campaign", "fingerprint"):
            del summary[name]
        payload = pack([letter.body, letter.record, letter.history])
        await store.hset(keys.DEAD_PAYLOADS, str(number), payload)  # type: ignore[misc]
        packed = pack(list(summary.values()))
        await store.hset(keys.OLD_DEAD_SUMMARIES, str(number), packed)  # type: ignore[misc]
        name, row = letter.summary.connection, letter.summary.hour
        await store.zadd(keys.old_dead_index(name), {str(number): letter.summary.dead_ms})
        await store.hincrby(f"{keys.ledger_prefix(name)}{row}", "dead", 1)  # type: ignore[misc]
        await store.hincrby(f"{keys.ledger_prefix(name)}{row}", "received", 1)  # type: ignore[misc]
        await store.sadd(keys.CONNECTIONS, name)  # type: ignore[misc]
        await store.sadd(keys.ledger_hours(name), row)  # type: ignore[misc]
        numbers.append(number)
    return numbers


async def test_old_letters_are_adopted_whole_and_keep_their_numbers(store: Store) -> None:
    given = [letter_of(body, at) for at, body in enumerate(generate(1, STEP + 30, body_bytes=300))]
    numbers = await write_as_before(store, given)
    letters, upkeep = DeadLetters(store), Upkeep(store, "w1")

    assert (await Ledger(store).read()).faults == ()
    assert await upkeep.adopt() == {"example": STEP + 30}
    assert await upkeep.adopt() == {}

    assert await letters.get(numbers) == numbered(given, numbers)
    person = Filter(event_id=given[7].summary.event_id)
    assert [each.number async for each in letters.find(person)] == [numbers[7]]
    assert (await Ledger(store).read()).faults == ()
    assert await letters.count("example") == STEP + 30
    await letters.discard(await letters.summaries(numbers))
    assert await store.get(keys.DEAD_BYTES) == b"0"
    assert not await store.exists(keys.OLD_DEAD_SUMMARIES, keys.DEAD_PAYLOADS)


async def test_old_letters_that_nobody_can_read_stay_where_they_are(store: Store) -> None:
    given = [letter_of(body, at) for at, body in enumerate(generate(1, 5, body_bytes=300))]
    numbers = await write_as_before(store, given)
    await store.hset(keys.OLD_DEAD_SUMMARIES, str(numbers[1]), b"torn")  # type: ignore[misc]

    assert await Upkeep(store, "w1").adopt() == {"example": 4}
    assert await store.hexists(keys.DEAD_PAYLOADS, str(numbers[1]))  # type: ignore[misc]
    assert (await Ledger(store).read()).faults == ()


async def test_one_worker_keeps_the_store_until_it_is_gone(store: Store) -> None:
    first, second = Upkeep(store, "w1"), Upkeep(store, "w2")
    assert [await first.lease(), await second.lease(), await first.lease()] == [True, False, True]
    await store.delete(keys.DEAD_KEEPER)
    assert [await second.lease(), await first.lease()] == [True, False]
