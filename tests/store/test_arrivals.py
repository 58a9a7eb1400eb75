"""Which events arrived, asked of many: dead letters are known by their tokens, exactly."""

from __future__ import annotations

from app.store.arrivals import Arrival, Arrivals
from app.store.connect import Store
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.tokens import DeadTokens
from tests.dead import bury, letter_of
from tests.web.console.furnish import body_of

DAY_MS = 86_400_000


def ids(count: int, at: int = 0) -> list[str]:
    return [f"01HF{number:022d}" for number in range(at, at + count)]


async def test_dead_letters_arrived_and_others_of_the_time_are_missing(store: Store) -> None:
    """Older ones are unknown: nobody remembers whether they came."""
    given, never = ids(700), ids(700, 1_000)
    numbers = await bury(store, [letter_of(body_of(each), at) for at, each in enumerate(given)])
    await bury(store, [letter_of(body_of("01HF" + "9" * 22), connection="other")])
    letters = DeadLetters(store)
    await letters.discard(await letters.summaries(numbers[:100]))
    arrivals = Arrivals(store, "example", window_ms=100_000 * DAY_MS)
    await arrivals.load()

    found = await arrivals.of([(each, 0) for each in (*given, *never, "01HF" + "9" * 22)])

    assert found[100:700] == [Arrival.ARRIVED] * 600
    assert found[:100] + found[700:] == [Arrival.MISSING] * 801
    short = Arrivals(store, "example", window_ms=DAY_MS)
    await short.load()
    assert await short.of([(given[200], 0), (never[0], 0)]) == [Arrival.ARRIVED, Arrival.UNKNOWN]


async def test_the_map_of_tokens_seldom_points_at_an_event_that_is_not_there(
    store: Store,
) -> None:
    given = ids(2_000)
    await DeadLetters(store).put([letter_of(body_of(each), at) for at, each in enumerate(given)])
    tokens = DeadTokens(store)
    assert not any(map(tokens.may_have, given)), "nothing is loaded"
    await tokens.load()
    assert all(map(tokens.may_have, given))
    assert sum(map(tokens.may_have, ids(10_000, 50_000))) < 500
