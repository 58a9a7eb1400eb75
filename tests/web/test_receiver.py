"""Over HTTP: what is accepted, what is refused, and with which status (customerio.md section 9)."""

from __future__ import annotations

import asyncio
import threading
import time
from ipaddress import ip_network

import pytest

from app.connect import trial
from app.core.signature import sign
from app.web.sources import SourceFilter

HELPER_BODY = b'{"event_id":"abc","object_type":"email","metric":"delivered"}'
HELPER_SIGNATURE = "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230"
DAILY_BODY = b'{"userId":"1","marketingCtaId":"worlds-best-campaign"}'
DAILY_SIGNATURE = "b01e7dfc3ce67eaab1010b7021b86ce2ba12677d191e0e04b14cd859e347f866"

# Statuses after which Customer.io holds the whole stream for an hour.
ONE_HOUR = {400, 402, 403, 404, 405, 410, 429, 500, 502, 521}


@pytest.mark.parametrize(
    ("key", "stamp", "body", "signature"),
    [
        (b"signing-secret", "1614265384", HELPER_BODY, HELPER_SIGNATURE),
        (b"topsecret", "1715784949", DAILY_BODY, DAILY_SIGNATURE),
    ],
)
@pytest.mark.parametrize("prefix", ["", "v0="])
async def test_the_published_signatures_are_accepted(
    serve, fake_store, key, stamp, body, signature, prefix
):
    async with serve(connection={"keys": (key,)}) as client:
        headers = {"X-CIO-Timestamp": stamp, "X-CIO-Signature": prefix + signature}
        status = await client.request("POST", "/webhooks/acme", data=body, headers=headers)

        assert status == 200
        assert fake_store.bodies == [body]


@pytest.mark.parametrize("body", [b"", b"no json \xff\x00", b'{"a": 1}\n', b"x" * 200_000])
async def test_signed_bytes_are_stored_exactly_as_received(serve, fake_store, body):
    async with serve() as client:
        before = int(time.time() * 1000)
        assert await client.post(body, signed=body) == 200

        assert fake_store.bodies == [body]
        assert before <= fake_store.batches[0].received_ms[0] <= int(time.time() * 1000) + 1


async def test_a_content_coding_is_not_undone(serve, fake_store):
    async with serve() as client:
        body = b"\x1f\x8b not really gzip"
        assert await client.post(body, headers={"Content-Encoding": "gzip"}) == 200
        assert fake_store.bodies == [body]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CIO-Timestamp": "1"},
        {"X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": "1", "X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": "one", "X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": "1", "X-CIO-Signature": "é" * 64},
    ],
)
async def test_an_absent_or_wrong_signature_is_401_and_stores_nothing(serve, fake_store, headers):
    async with serve() as client:
        assert await client.request("POST", "/webhooks/acme", data=b"{}", headers=headers) == 401
        assert fake_store.calls == 0
        assert await client.metric("sluice_webhooks_refused_total", reason="signature") == 1


async def test_every_live_key_is_tried_and_the_one_that_matched_is_counted(serve):
    async with serve() as client:
        for key in (b"the-key", b"the-key-before", b"the-key-before"):
            assert await client.post(key=key) == 200
        assert await client.post(key=b"another") == 401

        assert await client.metric("sluice_signature_key_matched_total", key="0") == 1
        assert await client.metric("sluice_signature_key_matched_total", key="1") == 2


async def test_it_is_seen_what_customerio_signs_with_and_what_is_refused(serve):
    async with serve(connection={"replay_window_seconds": 300}) as client:
        seen = client.receiver.signatures["acme"]
        await client.post(key=b"another")
        assert (seen.refused, seen.believed_ms) == (1, [0, 0])
        before = int(time.time() * 1000)
        await client.post(key=b"the-key-before")
        assert seen.refused == 1 and seen.refused_ms <= before
        assert seen.believed_ms[0] == 0 and seen.believed_ms[1] >= before


async def test_strangers_replays_and_what_we_send_ourselves_say_nothing_of_customerios_key(serve):
    async with serve(connection={"replay_window_seconds": 300}) as client:
        seen = client.receiver.signatures["acme"]
        for headers in ({}, {"X-CIO-Timestamp": "1"}, {"X-CIO-Signature": "0" * 64}):
            status = await client.request("POST", "/webhooks/acme", data=b"{}", headers=headers)
            assert status == 401
        # The doctor's probe, and the test of an apply.
        assert await client.post(b'{"sluice":"doctor"}', key=b"another") == 401
        assert await client.post(trial.test_body(time.time()), key=b"another") == 401
        assert await client.post(trial.test_body(time.time())) == 200
        assert await client.post(at=int(time.time()) - 400) == 401
        assert (seen.refused, seen.believed_ms) == (0, [0, 0])


async def test_without_a_window_an_old_signature_passes_and_its_skew_is_counted(serve):
    async with serve() as client:
        assert await client.post(at=int(time.time()) - 5000) == 200
        assert await client.metric("sluice_signature_skew_seconds_bucket", le="3600.0") == 0
        assert await client.metric("sluice_signature_skew_seconds_bucket", le="21600.0") == 1


@pytest.mark.parametrize(("age", "status"), [(0, 200), (250, 200), (400, 401), (-400, 401)])
async def test_a_window_refuses_what_was_signed_too_long_ago_or_ahead(serve, age, status):
    async with serve(connection={"replay_window_seconds": 300}) as client:
        assert await client.post(at=int(time.time()) - age) == status


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_413_whatever_its_length_says(serve, fake_store, chunked):
    async with serve(connection={"body_limit_bytes": 1000}) as client:

        async def parts():
            for _ in range(20):
                yield b"x" * 100

        body = b"x" * 2000
        assert await client.post(parts() if chunked else body, signed=body) == 413
        assert fake_store.calls == 0
        assert await client.post(b"x" * 1000) == 200


async def test_bytes_beyond_the_declared_length_are_no_part_of_the_body(serve, fake_store):
    async with serve() as client:
        stamp = b"1700000000"
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nX-CIO-Timestamp: %b\r\n" % stamp
        head += b"X-CIO-Signature: %b\r\n" % sign(b"the-key", stamp, b"{}").encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(head + b"Content-Length: 2\r\n\r\n{}")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"and more\r\n\r\n")
        second = await reader.read()
        writer.close()

        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        assert second.startswith(b"HTTP/1.1 422 ")
        assert fake_store.bodies == [b"{}"]


async def test_an_endless_body_is_cut_off_at_the_limit(serve, fake_store):
    async with serve(connection={"body_limit_bytes": 100_000}) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(
            b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

        async def endless():
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()

        sender = asyncio.create_task(endless())
        answer = await reader.readuntil(b"\r\n")
        with pytest.raises(ConnectionError):
            await sender
        writer.close()

        assert answer == b"HTTP/1.1 413 Request Entity Too Large\r\n"
        assert fake_store.calls == 0


async def test_a_body_that_does_not_come_is_408_and_the_connection_ends(serve):
    async with serve(body_deadline_seconds=0.05) as client:
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        answer = await client.raw(head, b"only so much")

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nConnection: close\r\n" in answer


async def test_bodies_on_their_way_have_bounded_room_and_small_ones_always_find_some(
    serve, fake_store
):
    async with serve(arriving_max_bytes=300_000) as client:
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        strangers = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(5)]
        for _, writer in strangers:
            writer.write(head + b"x" * 200_000)
        refused = asyncio.gather(*(reader.readuntil(b"\r\n") for reader, _ in strangers))
        statuses = [answer.split()[1] for answer in await refused]

        # Two at most fit beside each other; those who got in were too slow in the end.
        assert statuses.count(b"503") >= 3
        assert set(statuses) <= {b"503", b"408"}
        for _, writer in strangers:
            writer.close()

        async def parts():
            yield b"x" * 30_000
            yield b"x" * 30_000

        assert await client.post(parts(), signed=b"x" * 60_000) == 200
        assert client.receiver._arriving.size == 0


async def test_a_body_in_several_packets_is_accepted(serve, fake_store):
    async with serve() as client:

        async def parts():
            for part in (b'{"a"', b": ", b"1}"):
                yield part
                await asyncio.sleep(0)

        assert await client.post(parts(), signed=b'{"a": 1}') == 200
        assert fake_store.bodies == [b'{"a": 1}']


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(serve, fake_store):
    async with serve() as client:
        assert await client.post(b"x" * 70_000, headers={"Expect": "100-continue"}) == 200
        assert fake_store.bodies == [b"x" * 70_000]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"".join(b"H%d: x\r\n" % n for n in range(100)), b"431"),
        (b"Long: " + b"x" * 9000 + b"\r\n", b"431"),
        (b"no header at all\r\n", b"422"),
        (b"Content-Length: minus one\r\n", b"422"),
    ],
)
async def test_odd_headers_are_refused_without_the_hour(serve, request_bytes, status):
    async with serve() as client:
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\n" + request_bytes
        answer = await client.raw(head + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 " + status)


async def test_headers_that_dribble_in_are_cut_off(serve):
    async with serve(header_deadline_seconds=0.05) as client:
        answer = await client.raw(b"POST /webhooks/acme HTTP/1.1\r\nHo", b"st: x\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert await client.metric("sluice_webhooks_refused_total", reason="headers_too_slow") == 1


async def test_headers_in_pieces_are_cut_off_at_a_size(serve):
    async with serve(head_max_bytes=2000) as client:
        lines = [b"POST /webhooks/acme HTTP/1.1\r\n"]
        lines += [b"H%d: %b\r\n" % (n, b"x" * 90) for n in range(22)]
        answer = await client.raw(*lines)
        assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_comes_after_its_refusal_does_not_end_the_connection(serve, fake_store):
    """What comes late of a refused body was taken for slow headers: when their time was over, the
    idle connection was cut, perhaps while the next webhook was on its way (EOF: an hour)."""
    async with serve(header_deadline_seconds=0.05) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"POST /webhooks/new HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
        assert (await reader.readuntil(b"connection here\n")).startswith(b"HTTP/1.1 503 ")
        writer.write(b"a body")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/webhook/acme", 404),
        ("POST", "/webhooks/other", 503),
        ("POST", "/webhooks/", 503),
        ("GET", "/webhooks/acme", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/readyz", 200),
    ],
)
async def test_other_requests_get_the_status_that_costs_least(serve, method, path, status):
    async with serve() as client:
        assert await client.request(method, path) == status


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/acme/", "/webhooks/acme?x=1", "/webhooks/acme/?x=1#y", "//webhooks/acme",
        "/webhooks//acme", "http://sluice.test/webhooks/acme", "http://sluice.test//webhooks/acme",
    ],
)  # fmt: skip
async def test_a_slash_a_query_or_a_host_too_many_in_the_target_is_overlooked(
    serve, fake_store, path
):
    async with serve() as client:
        stamp = b"1700000000"
        head = b"POST %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % path.encode()
        head += b"X-CIO-Timestamp: %b\r\nContent-Length: 2\r\n" % stamp
        head += b"X-CIO-Signature: %b\r\n\r\n{}" % sign(b"the-key", stamp, b"{}").encode()

        assert (await client.raw(head)).startswith(b"HTTP/1.1 200 ")
        assert fake_store.bodies == [b"{}"]


async def test_a_timestamp_that_no_number_can_hold_is_401(serve, fake_store):
    async with serve() as client:
        for stamp in ("9" * 400, "9" * 5000):
            signature = sign(b"the-key", stamp.encode(), b"{}")
            headers = {"X-CIO-Timestamp": stamp, "X-CIO-Signature": signature}
            status = await client.request("POST", "/webhooks/acme", data=b"{}", headers=headers)
            assert status == 401
        assert fake_store.calls == 0


async def test_an_exception_nobody_foresaw_is_503_and_logged_once(serve, fake_store, capsys):
    fake_store.commit_fault = ZeroDivisionError("secret in the text")
    async with serve() as client:
        for _ in range(3):
            assert await client.post() == 503
        assert client.headers["Retry-After"] == "5"
        fake_store.commit_fault = None
        assert await client.post() == 200

    said = capsys.readouterr().out
    assert said.count("receiver.faulted") == 1
    assert "ZeroDivisionError" in said
    assert "secret" not in said


async def test_an_exception_in_the_handler_itself_is_503_too(serve, monkeypatch, capsys):
    async with serve() as client:
        monkeypatch.setattr("app.core.signature.SigningKeys.match", None)
        assert await client.post() == 503
        assert await client.post() == 503
    assert capsys.readouterr().out.count("receiver.faulted") == 1


async def test_what_goes_wrong_while_a_refused_body_is_read_on_leaves_no_trace(
    serve, monkeypatch, caplog, capsys
):
    """aiohttp logs a trace for each; whoever breaks off in the right moment causes one."""

    async def gone(self):
        raise RuntimeError("Connection closed.")

    async with serve() as client:
        monkeypatch.setattr("aiohttp.StreamReader.readany", gone)
        head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        for _ in range(3):
            assert (await client.raw(head)).startswith(b"HTTP/1.1 404 ")

    assert caplog.records == []
    assert capsys.readouterr().out.count("receiver.faulted") == 1


async def test_a_refused_source_is_503_because_the_list_may_be_stale(serve, fake_store):
    office = SourceFilter([ip_network("192.0.2.0/24")])
    async with serve(connection={"sources": office}) as client:
        assert await client.post() == 503
        assert fake_store.calls == 0
        assert await client.metric("sluice_webhooks_refused_total", reason="source") == 1


async def test_behind_a_trusted_proxy_the_forwarded_address_counts(serve):
    office = SourceFilter([ip_network("192.0.2.0/24")], [ip_network("127.0.0.0/8")])
    async with serve(connection={"sources": office}) as client:
        assert await client.post(headers={"X-Forwarded-For": "192.0.2.7"}) == 200
        assert await client.post(headers={"X-Forwarded-For": "192.0.2.7, 198.51.100.1"}) == 503


async def test_a_leaving_process_asks_clients_to_connect_anew(serve):
    async with serve() as client:
        assert await client.post() == 200
        assert "Connection" not in client.headers
        client.receiver.leaving = True
        assert await client.post() == 200
        assert client.headers["Connection"] == "close"


async def test_what_is_counted_adds_up(serve):
    async with serve() as client:
        for _ in range(3):
            await client.post()
        await client.post(key=b"wrong")
        received = await client.metric("sluice_webhooks_received_total", connection="acme")
        acknowledged = await client.metric("sluice_webhooks_acknowledged_total", connection="acme")
        refused = await client.metric("sluice_webhooks_refused_total", connection="acme")
        assert (received, acknowledged, refused) == (4, 3, 1)
        assert await client.metric("sluice_batch_events_sum", connection="acme") == 3
        assert await client.metric("sluice_commit_seconds_count", connection="acme") == 3


async def test_metrics_are_made_once_for_all_who_ask_at_a_time(serve, monkeypatch):
    made, gate = [], threading.Event()

    def slowly(self):
        made.append(1)
        gate.wait(10)
        return "the numbers\n"

    monkeypatch.setattr("app.web.metrics.ReceiverMetrics.render", slowly)
    async with serve() as client:
        asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        crowd = [asyncio.create_task(client.raw(asked)) for _ in range(50)]
        assert await client.post() == 200
        gate.set()
        answers = await asyncio.gather(*crowd)
    assert all(b"the numbers" in answer for answer in answers)
    assert len(made) < 10


async def test_no_answer_is_given_that_costs_an_hour_but_for_a_wrong_signature(serve, fake_store):
    async with serve(connection={"body_limit_bytes": 1000}) as client:
        statuses = {await client.post(), await client.post(b"x" * 2000)}
        fake_store.commit_fault = RuntimeError()
        statuses |= {await client.post(), await client.post(path="/webhooks/new")}
        assert not statuses & ONE_HOUR
