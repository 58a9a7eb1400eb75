"""Scripts that are called in one turn of the loop share a round trip, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ResponseError

from app.core.errors import StoreUnavailable
from app.store.connect import Store
from app.store.scripting import Script, text_of
from tests.conftest import RedisServer


def script(store: Store, text: str) -> Script:
    made = Script(store, "sweep")
    made._text = text
    made._digest = "0" * 40  # the server knows no such script: it has to be sent whole
    return made


async def test_calls_of_one_turn_get_their_own_answers(store: Store) -> None:
    echo = script(store, "return ARGV[1]")
    answers = await asyncio.gather(*(echo([], [i]) for i in range(5)))
    assert answers == [b"0", b"1", b"2", b"3", b"4"]


async def test_one_that_fails_leaves_its_neighbours_alone(store: Store) -> None:
    good, bad = script(store, "return 1"), script(store, "return redis.error_reply('ERR no')")
    first, second, third = await asyncio.gather(
        good([], []), bad([], []), good([], []), return_exceptions=True
    )
    assert (first, third) == (1, 1)
    assert isinstance(second, ResponseError)


async def test_a_caller_that_is_cancelled_leaves_its_neighbours_alone(store: Store) -> None:
    echo = script(store, "return ARGV[1]")
    calls = [asyncio.create_task(echo([], [i])) for i in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert (answers[0], answers[2]) == (b"0", b"2")
    assert isinstance(answers[1], asyncio.CancelledError)


async def test_a_script_that_the_server_forgot_is_sent_again(store: Store) -> None:
    sweep = Script(store, "sweep")
    keys = ["sluice:open", "sluice:bell", "sluice:held", "sluice:clock"]
    args = [10, 10, 1000]
    assert await sweep(keys, args) == []
    await store.script_flush()
    assert await asyncio.gather(sweep(keys, args), sweep(keys, args)) == [[], []]


async def test_all_calls_hear_of_a_server_that_is_away(
    own_redis: RedisServer, own_store: Store
) -> None:
    sweep = Script(own_store, "sweep")
    own_redis.kill()
    calls = (sweep(["a", "b"], [1, 1, 1]) for _ in range(3))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    with pytest.raises(StoreUnavailable):
        await sweep(["a", "b"], [1, 1, 1])


async def test_a_script_that_goes_alone_is_taught_as_well(store: Store) -> None:
    echo = script(store, "return ARGV[1]")
    echo.alone = True
    assert await asyncio.gather(echo([], ["a"]), echo([], ["b"])) == [b"a", b"b"]


def test_a_part_comes_into_a_script_once_however_often_it_is_asked_for() -> None:
    text = text_of("replay")
    assert text.count("local function dead_terms(") == 1
    assert "-- include" not in text
