"""A lane against a scripted Platform on a real port, with its shared state on a real server."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.core.errors import CredentialsRefused, TokenUnavailable
from app.core.outcome import Failure
from app.store import keys
from app.store.connect import open_store
from app.store.lanes import Gate, Lanes
from tests.conftest import RedisServer
from tests.worker.scripted_platform import (
    LIMITS,
    D,
    Got,
    Make,
    Platform,
    R,
    T,
    Tokens,
    U,
    each,
    messages,
    multi,
    problem,
    verdicts,
)

ENVELOPE_TEXT = "Message has an absent or wrong ims org in the header"


class TestFilling:
    async def test_every_message_gets_its_outcome(self, make: Make, platform: Platform) -> None:
        outcomes = await make().send(messages(*range(50)))

        assert verdicts(outcomes) == [D] * 50
        assert platform.numbers == list(range(50))
        assert outcomes[0].receipt == "b"

    async def test_one_message_goes_to_the_single_endpoint(
        self, make: Make, platform: Platform
    ) -> None:
        assert (await make().send(messages(1)))[0].receipt == "1:2:3"
        assert platform.got[0].path == "/collection/abc"

    async def test_no_messages_are_no_request(self, make: Make, platform: Platform) -> None:
        assert await make().send([]) == []
        assert not platform.got

    async def test_calls_of_many_jobs_share_requests(self, make: Make, platform: Platform) -> None:
        lane = make()

        found = await asyncio.gather(*(lane.send(messages(n, n + 100)) for n in range(20)))

        assert all(verdicts(outcomes) == [D, D] for outcomes in found)
        assert len(platform.got) <= 5

    async def test_a_request_is_never_over_a_limit_and_as_full_as_can_be(
        self, make: Make, platform: Platform
    ) -> None:
        lane = make(replace(LIMITS, max_bytes=10_000, max_messages=30))

        big, small = messages(*range(100), pad=900), messages(*range(100, 200))
        await asyncio.gather(lane.send(big), lane.send(small))

        assert platform.numbers == list(range(200))
        assert max(got.size for got in platform.got) <= 10_000
        assert max(len(got.numbers) for got in platform.got) == 30
        assert len(platform.got) <= 14

    async def test_requests_go_out_beside_each_other_up_to_the_limit(
        self, make: Make, platform: Platform
    ) -> None:
        async def slow(got: Got) -> None:
            await asyncio.sleep(0.02)

        platform.script = slow
        lane = make(replace(LIMITS, max_messages=1, max_in_flight=3))

        await lane.send(messages(*range(12)))

        assert platform.busiest == 3

    async def test_what_does_not_fill_a_request_waits_only_to_linger(
        self, make: Make, platform: Platform
    ) -> None:
        go = asyncio.Event()

        async def script(got: Got) -> None:
            if got.numbers == [1]:
                await go.wait()

        platform.script = script
        lane = make()
        first = asyncio.create_task(lane.send(messages(1)))
        while not platform.got:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.001)

        assert verdicts(await lane.send(messages(2))) == [D]
        go.set()
        assert verdicts(await first) == [D]

    async def test_sending_alone_puts_each_in_its_own_request(
        self, make: Make, platform: Platform
    ) -> None:
        lane = make()

        await asyncio.gather(lane.send(messages(1, 2, 3), alone=True), lane.send(messages(4, 5)))

        assert sorted(got.numbers for got in platform.got) == [[1], [2], [3], [4, 5]]

    async def test_a_caller_that_gives_up_takes_only_its_own_with_it(
        self, make: Make, platform: Platform
    ) -> None:
        go = asyncio.Event()

        async def script(got: Got) -> None:
            await go.wait()

        platform.script = script
        lane = make(replace(LIMITS, max_in_flight=1))
        calls = [asyncio.create_task(lane.send(messages(n, n))) for n in range(3)]
        while not platform.got:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        calls[0].cancel()
        calls[1].cancel()
        go.set()

        assert verdicts(await calls[2]) == [D, D]
        assert [got.numbers for got in platform.got] == [[0, 0], [2, 2]]

    async def test_closing_gives_back_what_was_not_sent(
        self, make: Make, platform: Platform
    ) -> None:
        async def hang(got: Got) -> None:
            await asyncio.sleep(3600)

        platform.script = hang
        lane = make(replace(LIMITS, max_in_flight=1))
        sent = asyncio.create_task(lane.send(messages(1)))
        while not platform.got:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        waiting = asyncio.create_task(lane.send(messages(2, 3)))
        await asyncio.sleep(0)
        while not lane._backlog.messages:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

        await lane.close(0.01)

        assert verdicts(await sent) == [U]
        assert [(o.verdict, o.attempted) for o in await waiting] == [(T, False)] * 2
        assert verdicts(await lane.send(messages(4))) == [T]


class TestRefusals:
    async def test_a_batch_refused_as_a_whole_costs_only_the_guilty(
        self, make: Make, platform: Platform
    ) -> None:
        bad = {17, 18, 63}
        platform.script = lambda got: problem(400) if bad & set(got.numbers) else None

        outcomes = await make().send(messages(*range(100)))

        assert [at for at, o in enumerate(outcomes) if o.verdict is R] == sorted(bad)
        assert sum(o.verdict is D for o in outcomes) == 97
        assert len(platform.got) < 40

    async def test_in_a_207_only_the_refused_are_refused(
        self, make: Make, platform: Platform
    ) -> None:
        entries = [{"xactionId": "b:0"}, {"statusCode": 400, "message": "x"}, {"xactionId": "b:2"}]
        platform.script = each(multi(entries))

        assert verdicts(await make().send(messages(1, 2, 3))) == [D, R, D]
        assert len(platform.got) == 1

    async def test_what_a_207_does_not_place_is_sent_alone(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = each(multi([{"xactionId": "b:0"}, {"xactionId": "b:2"}]), None)

        assert verdicts(await make().send(messages(1, 2, 3, 4))) == [D] * 4
        assert [got.numbers for got in platform.got] == [[1, 2, 3, 4], [2], [4]]

    async def test_a_platform_of_garbage_is_not_asked_once_per_message(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = each(web.Response(text="<html>"))

        assert verdicts(await make().send(messages(*range(200)))) == [U] * 200
        assert len(platform.got) == 2

    async def test_a_request_too_large_is_split(self, make: Make, platform: Platform) -> None:
        platform.script = lambda got: problem(413) if got.size > 5_000 else None

        assert verdicts(await make().send(messages(*range(20), pad=900))) == [D] * 20

    async def test_a_message_too_large_alone_is_refused_and_no_other(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = lambda got: problem(413) if 2 in got.numbers else None

        outcomes = await make().send(messages(1, 2, 3))

        assert verdicts(outcomes) == [D, R, D]
        assert outcomes[1].failure is Failure.TOO_LARGE

    async def test_a_message_over_the_filling_limit_goes_alone_and_platform_decides(
        self, make: Make, platform: Platform
    ) -> None:
        huge, over = messages(1, pad=1_020_000), messages(2, pad=1_050_000)

        outcomes = await make().send([*messages(0), *huge, *over, *messages(3)])

        assert verdicts(outcomes) == [D, D, R, D]
        assert platform.numbers == [0, 1, 3]

    @pytest.mark.parametrize(
        ("status", "failure"),
        [(500, Failure.TRANSIENT), (502, Failure.TRANSIENT), (503, Failure.TRANSIENT),
         (501, Failure.TRANSIENT), (429, Failure.THROTTLE)],
    )  # fmt: skip
    async def test_trouble_of_platform_is_tried_again(
        self, make: Make, platform: Platform, status: int, failure: Failure
    ) -> None:
        platform.script = each(problem(status))

        outcomes = await make().send(messages(1, 2))

        # Throttled, it is the lane that was too fast, and no try of the event.
        counts = failure is not Failure.THROTTLE
        assert [(o.verdict, o.failure, o.counts) for o in outcomes] == [(T, failure, counts)] * 2
        assert len(platform.got) == 1

    async def test_throttling_holds_the_lane_of_all_workers_for_as_long_as_asked(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(429, **{"Retry-After": "30"}), None)
        lane, other = make(), make()

        first = await lane.send(messages(1, 2))
        second, third = await lane.send(messages(3)), await other.send(messages(4))
        await store.hset(keys.lane_state("conn"), "until", "1")
        later = await make().send(messages(5, 6))

        assert (first[0].retry_after, first[0].failure) == (30, Failure.THROTTLE)
        for outcome in (*second, *third):
            assert (outcome.verdict, outcome.failure) == (T, Failure.THROTTLE)
            assert outcome.retry_after == pytest.approx(30, abs=5)
        assert not any(o.counts for o in (*first, *second, *third))
        assert verdicts(later) == [D, D]
        assert platform.numbers == [1, 2, 5, 6]

    async def test_a_raw_inlet_that_takes_no_batches_gets_single_messages(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = lambda got: problem(404) if len(got.numbers) > 1 else None
        lane = make(mode="raw", flow_id="flow-1")

        assert verdicts(await lane.send(messages(1, 2, 3))) == [D] * 3
        assert verdicts(await lane.send(messages(4, 5, 6))) == [D] * 3

        assert [len(got.numbers) for got in platform.got] == [3, 1, 1, 1, 1, 1, 1]
        assert {got.headers["x-adobe-flow-id"] for got in platform.got} == {"flow-1"}

    async def test_a_raw_inlet_that_takes_batches_keeps_getting_them(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = lambda got: problem(400) if 5 in got.numbers else None
        lane = make(mode="raw", flow_id="flow-1")
        await lane.send(messages(1, 2, 3))

        assert verdicts(await lane.send(messages(4, 5, 6, 7))) == [D, R, D, D]
        assert verdicts(await lane.send(messages(8, 9))) == [D, D]
        assert platform.got[-1].numbers == [8, 9]

    async def test_a_redirect_is_not_followed(self, make: Make, platform: Platform) -> None:
        platform.script = each(
            web.Response(status=302, headers={"Location": platform.url + "?elsewhere"})
        )

        outcomes = await make().send(messages(1, 2))

        assert [(o.verdict, o.failure) for o in outcomes] == [(T, Failure.BLOCKED)] * 2
        assert len(platform.got) == 1


class TestBrokenConnections:
    async def serve(self, answer: bytes | None, *, close: bool = True) -> tuple[str, Any]:
        """A server that reads a request's head and body, says `answer`, and hangs up."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            if not close:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/collection/abc", server

    @pytest.mark.parametrize(
        "answer",
        [
            None,
            b"garbage\r\n\r\n",
            b"\x00\xff" * 50,
            b"HTTP/1.1 207 Multi\r\nContent-Length: 500\r\n\r\n{",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        ],
    )
    async def test_an_answer_that_breaks_off_is_unknown(
        self, make: Make, answer: bytes | None
    ) -> None:
        url, server = await self.serve(answer)

        outcomes = await make(url=url).send(messages(7))

        assert [(o.verdict, o.failure) for o in outcomes] == [(U, Failure.UNKNOWN)]
        server.close()

    async def test_a_refusal_whose_body_breaks_off_is_a_refusal(self, make: Make) -> None:
        url, server = await self.serve(b"HTTP/1.1 503 No\r\nContent-Length: 500\r\n\r\n{")

        assert (await make(url=url).send(messages(7)))[0].failure is Failure.TRANSIENT
        server.close()

    async def test_an_endless_answer_is_cut_off(self, make: Make) -> None:
        endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"{" * (9 * 1024 * 1024)
        url, server = await self.serve(endless, close=False)

        assert verdicts(await make(url=url).send(messages(7))) == [U]
        server.close()

    async def test_a_platform_that_hangs_is_unknown_after_the_time_out(self, make: Make) -> None:
        url, server = await self.serve(None, close=False)

        outcomes = await make(replace(LIMITS, timeout_seconds=0.05), url=url).send(messages(7))

        assert [(o.verdict, o.code) for o in outcomes] == [(U, "answer_timeout")]
        server.close()

    async def test_no_connection_is_no_doubt(self, make: Make) -> None:
        _, server = await self.serve(None)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()

        outcomes = await make(url=f"http://127.0.0.1:{port}/collection/abc").send(messages(1, 2))

        assert [(o.verdict, o.failure, o.code) for o in outcomes] == [
            (T, Failure.TRANSIENT, "connect_failed")
        ] * 2

    async def test_an_unforeseen_fault_of_ours_is_internal(
        self, make: Make, platform: Platform
    ) -> None:
        outcomes = await make(tokens=Tokens(KeyError("ours"))).send(messages(1, 2))

        assert [(o.verdict, o.failure, o.code) for o in outcomes] == [
            (T, Failure.INTERNAL, "KeyError")
        ] * 2

    async def test_a_watch_that_fails_changes_no_outcome(
        self, make: Make, platform: Platform
    ) -> None:
        class Broken:
            def on_request(self, *_: Any) -> None:
                raise KeyError("ours")

        assert verdicts(await make(watch=Broken()).send(messages(1, 2))) == [D, D]


class TestCredentials:
    async def test_the_token_is_sent(self, make: Make, platform: Platform) -> None:
        await make(tokens=Tokens()).send(messages(1))

        assert platform.got[0].headers["Authorization"] == "Bearer tok-1"

    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_refused_token_is_renewed_once(
        self, make: Make, platform: Platform, status: int
    ) -> None:
        platform.script = lambda got: (
            problem(status) if got.headers["Authorization"] == "Bearer tok-1" else None
        )

        assert verdicts(await make(tokens=Tokens()).send(messages(1, 2))) == [D, D]
        assert len(platform.got) == 2

    async def test_a_new_token_refused_too_pauses_the_lane_for_all_workers(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(401))
        lane, other = make(tokens=Tokens()), make(tokens=Tokens())

        with capture_logs() as logs:
            outcomes = await lane.send(messages(1, 2))
            again = await lane.send(messages(3))
            elsewhere = await other.send(messages(4))

        assert len(platform.got) == 2
        for outcome in (*outcomes, *again, *elsewhere):
            assert (outcome.verdict, outcome.failure) == (T, Failure.CREDENTIALS)
            assert not outcome.counts
            assert outcome.retry_after is not None
            assert 55 < outcome.retry_after <= 60
        assert (await Lanes(store).state("conn")).gate is Gate.PAUSED
        assert [log["event"] for log in logs].count("lane.paused") == 1

    async def test_many_requests_refused_together_are_one_pause(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        platform.script = each(problem(401))
        lane = make(replace(LIMITS, max_messages=1), tokens=Tokens())

        await lane.send(messages(*range(40)))

        assert (await Lanes(store).state("conn")).strikes == 1
        assert len(platform.got) <= 16

    @pytest.mark.parametrize("renews", [True, False])
    async def test_without_another_token_nothing_is_sent_twice(
        self, make: Make, platform: Platform, renews: bool
    ) -> None:
        platform.script = each(problem(401))

        await make(tokens=Tokens(renews=renews)).send(messages(1))

        assert len(platform.got) == 1 + renews

    async def test_an_address_that_is_not_allowed_pauses_without_a_new_token(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = each(web.Response(status=403))

        outcomes = await make(tokens=Tokens()).send(messages(1, 2))

        assert [(o.verdict, o.failure) for o in outcomes] == [(T, Failure.BLOCKED)] * 2
        assert len(platform.got) == 1

    async def test_ims_refusing_pauses_and_ims_being_away_does_not(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        away = await make(tokens=Tokens(TokenUnavailable("IMS", 7))).send(messages(1))
        assert (away[0].failure, away[0].counts, away[0].retry_after) == (
            Failure.CREDENTIALS, False, 7,
        )  # fmt: skip
        assert (await Lanes(store).state("conn")).gate is Gate.OPEN

        refused = await make(tokens=Tokens(CredentialsRefused("IMS 400"))).send(messages(1))
        assert (refused[0].failure, refused[0].code) == (Failure.CREDENTIALS, "ims_refused")
        assert (await Lanes(store).state("conn")).gate is Gate.PAUSED
        assert not platform.got

    async def test_a_wrong_envelope_pauses_a_lane_that_never_delivered(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = each(problem(400, ENVELOPE_TEXT))

        outcomes = await make().send(messages(*range(64)))

        assert {(o.verdict, o.failure, o.counts) for o in outcomes} == {(T, Failure.BLOCKED, False)}

    async def test_an_envelope_that_was_taken_before_is_the_events_fault(
        self, make: Make, platform: Platform
    ) -> None:
        platform.script = lambda got: problem(400, ENVELOPE_TEXT) if 2 in got.numbers else None

        assert verdicts(await make().send(messages(1, 2, 3, 4))) == [D, R, D, D]


class TestPauses:
    async def test_after_a_pause_one_request_probes_and_opens_the_lane(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        lanes = Lanes(store)
        await lanes.pause("conn", "credentials:http_401", 60)
        await store.hset(keys.lane_state("conn"), "until", "1")
        go = asyncio.Event()

        async def script(got: Got) -> None:
            await go.wait()

        platform.script = script
        workers = [make(replace(LIMITS, max_messages=10)) for _ in range(3)]
        calls = [asyncio.create_task(w.send(messages(*range(25)))) for w in workers for _ in "ab"]
        done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 5:
            more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done |= more

        assert {verdict for call in done for verdict in verdicts(call.result())} == {T}
        assert all(o.retry_after is not None for call in done for o in call.result())
        async with asyncio.timeout(10):
            while not platform.got:  # noqa: ASYNC110  # the probe is on its way
                await asyncio.sleep(0.005)
        assert len(platform.got) == 1

        go.set()
        assert verdicts(await waiting.pop()) == [D] * 25
        assert (await lanes.state("conn")).gate is Gate.OPEN
        assert verdicts(await workers[0].send(messages(1))) == [D]

    async def test_a_probe_that_fails_pauses_for_longer(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        lanes = Lanes(store)
        await lanes.pause("conn", "blocked:http_403", 60)
        await store.hset(keys.lane_state("conn"), "until", "1")
        platform.script = each(web.Response(status=403))

        outcomes = await make(replace(LIMITS, max_messages=2)).send(messages(1, 2, 3, 4, 5))

        assert len(platform.got) == 1
        assert [o.failure for o in outcomes] == [Failure.BLOCKED] * 5
        assert [o.attempted for o in outcomes] == [True, False, False, False, False]
        state = await lanes.state("conn")
        assert (state.gate, state.strikes) == (Gate.PAUSED, 2)

    async def test_a_probe_given_up_leaves_the_next_one_to_others(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        await Lanes(store).pause("conn", "blocked:http_403", 60)
        await store.hset(keys.lane_state("conn"), "until", "1")
        now = [0.0]

        async def hang(got: Got) -> None:
            await asyncio.sleep(3600)

        platform.script = hang
        lane = make(clock=lambda: now[0])
        probe = asyncio.create_task(lane.send(messages(1)))
        while not platform.got:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        probe.cancel()
        await asyncio.wait([probe])
        platform.script = None
        now[0] = 2.0

        assert verdicts(await lane.send(messages(2))) == [D]

    async def test_a_lane_resumed_elsewhere_is_open_within_a_second(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        now = [0.0]
        await Lanes(store).pause("conn", "operator", None)
        lane = make(clock=lambda: now[0])
        held = await lane.send(messages(1))
        await Lanes(store).resume("conn")
        now[0] = 1.0

        assert (held[0].verdict, held[0].message, held[0].retry_after) == (T, "operator", 30)
        assert verdicts(await lane.send(messages(2))) == [D]

    async def test_what_waited_in_an_open_lane_is_not_sent_long_after_it_is_held(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        """Nobody enters meanwhile, so nobody else looks."""
        now, arrived, gone_on = [0.0], asyncio.Event(), asyncio.Event()

        async def slowly(_got: Got) -> web.Response:
            arrived.set()
            await gone_on.wait()
            return web.json_response({"inletId": "abc", "xactionId": "x", "receivedTimeMs": 1})

        platform.script = slowly
        limits = replace(LIMITS, max_in_flight=1, max_messages=1)
        lane = make(clock=lambda: now[0], limits=limits)
        first, second = (asyncio.create_task(lane.send(messages(n))) for n in (1, 2))
        await arrived.wait()
        await Lanes(store).hold("conn", "connect:new", None)
        now[0] = 1.0
        gone_on.set()

        assert verdicts(await first) == [D]
        assert [(o.verdict, o.held, o.message) for o in await second] == [(T, True, "connect:new")]
        assert len(platform.got) == 1

    async def test_a_probe_that_gets_through_opens_no_lane_that_is_held_since(
        self, make: Make, platform: Platform, store: ArqRedis
    ) -> None:
        lanes, now = Lanes(store), [0.0]
        await lanes.pause("conn", "transient:http_503", 60)
        await store.hset(keys.lane_state("conn"), "until", "1")

        async def held_meanwhile(_got: Got) -> web.Response:
            await lanes.pause("conn", "operator:x", None, by_operator=True)
            return web.json_response({"inletId": "abc", "xactionId": "x", "receivedTimeMs": 1})

        platform.script = held_meanwhile
        outcomes = await make(clock=lambda: now[0]).send(messages(1, 2))

        assert verdicts(outcomes) == [D, T]
        assert (await lanes.state("conn")).reason == "operator:x"
        assert len(platform.got) == 1

    async def test_without_redis_a_lane_that_was_open_goes_on(
        self, make: Make, platform: Platform, own_redis: RedisServer
    ) -> None:
        redis = open_store(own_redis.url)
        own_redis.kill()
        lane = make(states=Lanes(redis))

        assert verdicts(await lane.send(messages(1))) == [D]

        platform.script = each(web.Response(status=403))
        assert verdicts(await lane.send(messages(2))) == [T]
        assert verdicts(await lane.send(messages(3))) == [T]
        assert len(platform.got) == 2
        await redis.aclose(close_connection_pool=True)


async def test_one_line_per_request_says_everything_but_values(
    make: Make, platform: Platform
) -> None:
    seen: list[tuple[Any, ...]] = []

    class Watch:
        def on_request(self, *told: Any) -> None:
            seen.append(told)

        def on_rate(self, *told: Any) -> None:
            assert told == ("conn", math.inf)

    entries = [{"xactionId": "b:0"}, {"status": 400, "message": "bad value [ada@example.com]"}]
    platform.script = each(multi(entries))

    with capture_logs() as logs:
        outcomes = await make(watch=Watch()).send(messages(1, 2))

    assert outcomes[1].message == "bad value [ada@example.com]"
    (line,) = logs
    assert line.pop("duration_ms") > 0
    assert line == {
        "event": "delivery.attempted", "log_level": "info", "connection": "conn", "messages": 2,
        "bytes": 48, "status": 207, "receipt": "b", "next": "settle", "delivered": 1,
        "rejected": 1, "code": "refused", "problem": "bad value [..]",
    }  # fmt: skip
    assert [told[:3] for told in seen] == [("conn", 207, 48)]
    assert seen[0][4] == {D: 1, R: 1}
