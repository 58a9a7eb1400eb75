"""customerio.md sections 8 and 9: how webhooks are posted and tried again."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from app.sandbox.customerio.backoff import (
    EOF,
    REFUSED,
    RESET,
    quick_wait,
    vendor_wait,
    worth_another,
)
from app.sandbox.customerio.post import TIMED_OUT
from app.sandbox.customerio.sender import Manner, send_all
from app.sandbox.customerio.tally import Tally
from app.sandbox.traffic import Shares, Shot, ShotKind, send_test_body, shots
from tests.sandbox.receiving import KEY, Listen, Receiver, Script


async def send(receiver: Receiver, webhooks: list[Shot], **manner: Any) -> Tally:
    tally = Tally()
    await send_all(iter(webhooks), Manner(receiver.url, KEY, **manner), tally)
    return tally


def fails_first(times: int, **answer: Any) -> Script:
    return lambda number: web.Response(**answer) if number < times else web.Response()


async def test_what_is_acknowledged_can_be_held_against_the_ledger(listen: Listen) -> None:
    receiver = await listen()
    webhooks = list(shots(1, 400, Shares(0.1, 0.05, 0.05)))
    kinds = [shot.kind for shot in webhooks]

    tally = await send(receiver, webhooks, concurrency=8)

    summary = tally.as_dict()
    assert summary["ledger"] == {
        "received": 400 - kinds.count(ShotKind.BAD_SIGNATURE),
        "duplicates": kinds.count(ShotKind.DUPLICATE),
        "tests": 0,
        "dead": kinds.count(ShotKind.GARBAGE),
        "delivered": kinds.count(ShotKind.EVENT),
    }
    assert tally.rejected_signatures == kinds.count(ShotKind.BAD_SIGNATURE)
    assert tally.all_well
    assert summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]


async def test_the_bytes_and_the_headers_are_the_vendors(listen: Listen) -> None:
    receiver = await listen()
    body = send_test_body(1_692_633_432)

    tally = await send(receiver, [Shot(ShotKind.TEST, 0, body)])

    (headers,) = receiver.headers
    assert receiver.bodies == [body]
    assert headers["Content-Type"] == "application/json"
    assert len(headers["X-CIO-Signature"]) == 64
    assert tally.as_dict()["ledger"]["tests"] == 1


async def test_a_503_is_tried_again_until_it_is_acknowledged(listen: Listen) -> None:
    receiver = await listen(fails_first(3, status=503, headers={"Retry-After": "0"}))

    tally = await send(receiver, list(shots(1, 5)), concurrency=1)

    assert tally.answers == {"503": 3, "200": 5}
    assert tally.unique_events == 5
    assert tally.all_well


async def test_a_lost_answer_is_tried_again_and_counted_as_unclear(listen: Listen) -> None:
    receiver = await listen(lambda number: None if number == 0 else web.Response())

    tally = await send(receiver, list(shots(1, 1)))

    assert (tally.unclear, tally.answers["no answer"]) == (1, 1)
    assert tally.all_well


async def test_a_refusal_is_final_when_not_serial(listen: Listen) -> None:
    receiver = await listen(fails_first(1, status=413))

    tally = await send(receiver, list(shots(1, 3)), concurrency=1)

    assert tally.refused == {"413": 1}
    assert tally.never_acknowledged == 1
    assert not tally.all_well


async def test_patience_ends(listen: Listen) -> None:
    receiver = await listen(lambda _: web.Response(status=503))

    tally = await send(receiver, list(shots(1, 2)), patience_s=0.0)

    assert (tally.gave_up, tally.never_acknowledged) == (2, 2)


async def test_nobody_listening_is_no_answer_and_not_unclear() -> None:
    tally = Tally()
    manner = Manner("http://127.0.0.1:1/webhooks/x", KEY, patience_s=0.0)

    await send_all(iter(list(shots(1, 1))), manner, tally)

    assert (tally.answers["no answer"], tally.unclear, tally.gave_up) == (1, 0, 1)


async def test_serial_sends_one_after_the_other_in_order_whatever_the_answer(
    listen: Listen,
) -> None:
    receiver = await listen(fails_first(2, status=404))
    webhooks = list(shots(1, 20))

    tally = await send(receiver, webhooks, serial=True, backoff_scale=0.0)

    first = webhooks[0].body
    assert receiver.most_at_once == 1
    assert receiver.bodies == [first, first, *(shot.body for shot in webhooks)]
    assert tally.all_well


async def test_concurrent_sends_several_at_once(listen: Listen) -> None:
    receiver = await listen()
    await send(receiver, list(shots(1, 300)), concurrency=16)
    assert len(set(receiver.bodies)) == 300


async def test_a_rate_and_a_duration_bound_what_is_sent(listen: Listen) -> None:
    receiver = await listen()

    tally = Tally()
    manner = Manner(receiver.url, KEY, rate=100.0, duration_s=0.2)
    await send_all(shots(1, None), manner, tally)

    assert tally.sent[ShotKind.EVENT] == len(receiver.bodies) == 20


async def test_a_bad_signature_that_is_taken_is_not_well() -> None:
    tally = Tally()
    shot = Shot(ShotKind.BAD_SIGNATURE, 0, b"{}")
    tally.sent[shot.kind] += 1
    tally.acknowledge(shot, 0.01)
    assert not tally.all_well


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 521])
def test_these_statuses_hold_the_vendor_for_an_hour_once(status: int) -> None:
    assert vendor_wait(1, status) == 3600
    assert vendor_wait(2, status) == 60


@pytest.mark.parametrize("status", [503, 504, 408, 413, 0])
def test_others_only_back_off(status: int) -> None:
    assert [vendor_wait(tries, status) for tries in (1, 2, 3)] == [30, 60, 120]


def test_a_lost_or_refused_connection_holds_for_an_hour_and_a_time_out_does_not() -> None:
    assert [vendor_wait(1, 0, error) for error in (EOF, REFUSED, RESET)] == [3600] * 3
    assert vendor_wait(1, 0, TIMED_OUT) == 30


def test_quick_waits_are_bounded() -> None:
    assert quick_wait(1, 3.0) == 3
    assert quick_wait(1, 3600.0) == 5
    assert [quick_wait(tries, None) for tries in (1, 2, 3, 99)] == [0.1, 0.2, 0.4, 5]
    assert [status for status in (0, 200, 401, 429, 500, 503) if worth_another(status)] == [
        0,
        429,
        500,
        503,
    ]
