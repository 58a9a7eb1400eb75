"""The parts of the crash suite: a plan that repeats, a judge that can say no, tools that work."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
import redis

from app.core.dead_letter import DeadLetter, DeadLetterSummary
from tests.crash.chaos.judge import Evidence, Verdict, Window, judge
from tests.crash.chaos.leaks import Life, leaks
from tests.crash.chaos.oracle import Facts, read_log
from tests.crash.chaos.plan import HANDS, KINDS, every, plan
from tests.crash.chaos.points import BY_NAME, POINTS, Traps, passed
from tests.crash.chaos.procs import Use
from tests.crash.chaos.proxy import Proxy, Streams, to_port
from tests.crash.chaos.redis import TEARS, ChaosRedis
from tests.e2e.process import free_port

# --- the plan ---


def test_the_same_seed_is_the_same_plan_and_another_seed_another() -> None:
    assert plan(7, 600) == plan(7, 600)
    assert plan(7, 600) != plan(8, 600)
    assert all(len(faults) > 50 for faults in plan(7, 600).values())


def test_a_long_plan_has_every_kind_and_its_last_third_kills_nobody_of_ours() -> None:
    found = plan(1, 7200)
    assert {fault.kind for faults in found.values() for fault in faults} == set(KINDS)
    assert max(fault.at for fault in found[HANDS[0]]) < 4800


def test_the_short_plan_has_each_fail_point_once() -> None:
    faults = [fault for faults in every(3).values() for fault in faults]
    points = [fault.with_["point"] for fault in faults if fault.kind == "kill_at"]
    assert sorted(points) == sorted(BY_NAME)
    assert {fault.kind for fault in faults} | {"kill_supervisor"} == set(KINDS)


# --- fail points ---


def test_every_fail_point_is_at_a_function() -> None:
    for point in POINTS:
        assert callable(resolve_name(point.where)), point


async def test_a_fail_point_is_passed_so_often_and_then_by_one_process_only(
    tmp_path: Path,
) -> None:
    traps, point = Traps(tmp_path), POINTS[0]
    traps.arm(point, 2)
    one: dict[tuple[str, int], int] = {}
    other: dict[tuple[str, int], int] = {}

    assert [passed(tmp_path, point, seen) for seen in (one, other, one, other)] == [
        *(False, False, True, False)
    ]
    assert await traps.sprung(point, 0, 1)
    assert not traps.disarm(point)


# --- the judge ---


def known(
    acknowledged: tuple[str, ...] = ("e1",),
    arrivals: dict[str, list[float]] | None = None,
    letters: tuple[DeadLetter, ...] = (),
    **row: int,
) -> Evidence:
    sent = dict.fromkeys(acknowledged, 10.0)
    facts = Facts(sent, {name: [10.5] for name in acknowledged})
    found = {"e1": [11.0]} if arrivals is None else arrivals
    columns = {
        "received": len(acknowledged), "duplicates": 0, "delivered": len(found),
        "dead": len(letters), "in_flight": 0, "difference": 0,
    }  # fmt: skip
    return Evidence(facts, found, letters, {**columns, **row})


def letter(failure: str, body: bytes = b'{"event_id":"e1"}') -> DeadLetter:
    summary = DeadLetterSummary(
        1, "a", 1, "send", failure, "poison", "", "", "", "", "e1", 10_000, 11_000, ""
    )
    return DeadLetter(summary, body, None, ())


def verdict_on(testimony: Evidence, *windows: Window) -> Verdict:
    return judge({"a": testimony}, windows)


def test_all_is_well() -> None:
    verdict = verdict_on(known())
    assert (verdict.good, verdict.acknowledged, verdict.delivered) == (True, 1, 1)


def test_an_acknowledged_event_that_is_nowhere_is_lost() -> None:
    verdict = verdict_on(known(("e1", "e2"), delivered=2))
    assert verdict.lost == ["a e2"]


def test_an_event_in_an_open_batch_is_late_and_not_lost() -> None:
    testimony = known(("e1", "e2"), in_flight=1)
    testimony.waiting = frozenset({b'{"event_id":"e2"}'})
    verdict = verdict_on(testimony)
    assert verdict.lost == []
    assert verdict.problems == ["a: the ledger says 1 in_flight, and there are 0"]


@pytest.mark.parametrize(
    ("testimony", "says"),
    [
        (known(arrivals={"e1": [11.0], "x": [12.0]}), "was never sent, and yet delivered: x"),
        (known(arrivals={}, letters=(letter("internal"),)), "no reason to die: e1, internal"),
        (known(arrivals={"e1": [11.0, 12.0]}), "came 2 times and met no fault: e1"),
        (known(delivered=2), "the ledger says 2 delivered, and there are 1"),
        (known(received=0), "the ledger received 0, and 1 were acknowledged"),
    ],
)
def test_whatever_else_is_wrong_is_said(testimony: Evidence, says: str) -> None:
    [problem] = verdict_on(testimony, Window("kill", 1.0, 9.0), Window("kill", 13.0, 14.0)).problems
    assert problem.startswith(f"a: {says}")


def test_an_event_that_was_in_flight_at_a_fault_may_come_twice() -> None:
    verdict = verdict_on(known(arrivals={"e1": [11.0, 12.0]}), Window("kill", 11.5, 11.5))
    assert (verdict.good, verdict.repeats) == (True, 1)


def test_the_oracles_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "oracle.log"
    log.write_text("S 1.0 raw event e1\nA 2.0 raw event e1\nA 3.0 raw duplicate e1\n")
    facts = read_log(log)["raw"]
    assert (facts.sent, facts.acknowledged) == ({"e1": 1.0}, {"e1": [2.0, 3.0]})


def test_what_grows_is_a_leak_and_what_ended_is_not() -> None:
    def life(pid: int, grows: int, last: float = 100.0) -> Life:
        uses = [Use(50_000_000 + second * grows, 20) for second in range(100)]
        return Life("worker", pid, 0.0, uses, last)

    lives = [life(1, 0), life(2, 2_000_000), life(3, 2_000_000, last=50.0)]
    assert [each.split()[1] for each in leaks(lives, 60)] == ["2"]


# --- the proxy ---


class Echo:
    """A server that says what it hears, behind a proxy; and its clients."""

    def __init__(self) -> None:
        self.port, self._behind = free_port(), free_port()
        self.heard = bytearray()
        self.proxy = Proxy(to_port(self._behind))
        self._ends: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._behind)
        await self.proxy.start(self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        with contextlib.suppress(OSError):
            while chunk := await reader.read(100):
                self.heard += chunk
                writer.write(chunk)
            writer.write_eof()

    async def dial(self) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._ends.append(writer)
        return reader, writer

    async def stop(self) -> None:
        await self.proxy.stop()
        self._server.close()
        for writer in self._ends:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    found = Echo()
    await found.start()
    yield found
    await found.stop()


async def test_a_proxy_passes_on_and_an_end_too(echo: Echo) -> None:
    reader, writer = await echo.dial()
    writer.write(b"hello")
    writer.write_eof()
    assert await reader.read() == b"hello"


async def test_answers_that_are_held_are_lost_when_it_is_cut(echo: Echo) -> None:
    reader, writer = await echo.dial()
    echo.proxy.hold_answers()
    writer.write(b"hello")
    async with asyncio.timeout(5):
        while echo.heard != b"hello":  # noqa: ASYNC110  # the other side's
            await asyncio.sleep(0.01)
    assert echo.proxy.cut() == 1
    echo.proxy.flow()
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_one_answer_is_lost_with_its_connection(echo: Echo) -> None:
    echo.proxy.lose_answers(1)
    for wanted in (None, b"hello"):
        reader, writer = await echo.dial()
        writer.write(b"hello")
        try:
            assert await reader.readexactly(5) == wanted
        except (ConnectionResetError, asyncio.IncompleteReadError):
            assert wanted is None


# --- the append-only file ---


@pytest.fixture
def chaos_redis(tmp_path: Path) -> Any:
    server = ChaosRedis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("how", TEARS)
def test_what_was_answered_outlives_a_torn_file(chaos_redis: ChaosRedis, how: str) -> None:
    with redis.Redis.from_url(chaos_redis.url) as client:
        client.set("kept", "x" * 100)
        safe = chaos_redis.tail()
        for number in range(50):
            client.set(f"doubtful-{number}", "y" * 100)
    chaos_redis.kill()

    assert chaos_redis.tear(safe, how, random.Random(1)) > 0
    chaos_redis.start()

    with redis.Redis.from_url(chaos_redis.url) as client:
        assert client.get("kept") == b"x" * 100
        assert client.dbsize() < 51


def test_damage_that_is_read_without_a_word_costs_nothing_at_the_next_repair(
    chaos_redis: ChaosRedis,
) -> None:
    """A value that is garbled to its last byte, line end and all, is read as it is; a repair cuts
    there, and with it all that came after."""
    with redis.Redis.from_url(chaos_redis.url) as client:
        safe = chaos_redis.tail()
        client.set("doubtful", "y" * 100)
    chaos_redis.kill()
    end = chaos_redis.tail()
    with end.path.open("r+b") as file:
        file.truncate(end.size - 50)
        file.seek(0, 2)
        file.write(bytes(50))
    chaos_redis.start()
    with redis.Redis.from_url(chaos_redis.url) as client:
        client.set("kept", "x" * 100)
        safe = chaos_redis.tail()
        client.set("doubtful-2", "y" * 100)
    chaos_redis.kill()

    chaos_redis.tear(safe, "noise", random.Random(3))
    chaos_redis.start()

    with redis.Redis.from_url(chaos_redis.url) as client:
        assert client.get("kept") == b"x" * 100
