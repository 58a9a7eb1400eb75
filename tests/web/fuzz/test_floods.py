"""Much of it: memory, descriptors and the log stay bounded, and webhooks go on."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.web.fuzz.target import SECRET, Target
from tests.web.fuzz.wire import GOODBYE, connect, replies, rest, send, talk, webhook

MEGABYTE = 1_000_000
# What is sent of each flood, unless the receiver ends it before.
FLOOD_BYTES = 60 * MEGABYTE

_POST = b"POST %b HTTP/1.1\r\nHost: x\r\n"
_WEBHOOK, _NOWHERE = _POST % b"/webhooks/raw", _POST % b"/nowhere"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

# (how it begins, what comes again and again)
FLOODS = {
    "line ends": (b"", b"\r\n" * 50_000),
    "a chunk's extension": (_WEBHOOK + _CHUNKED + b"1;", b"x" * MEGABYTE),
    "chunks of one byte": (_WEBHOOK + _CHUNKED, b"1\r\nx\r\n" * 20_000),
    "chunks of one byte that nobody reads": (_NOWHERE + _CHUNKED, b"1\r\nx\r\n" * 20_000),
    "trailers": (_WEBHOOK + _CHUNKED + b"0\r\n", b"a: b\r\n" * 20_000),
    "a body without end": (_WEBHOOK + _CHUNKED, b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\n"),
    "a body that nobody reads": (
        _NOWHERE + b"Content-Length: 99999999999\r\n\r\n",
        b"x" * MEGABYTE,
    ),
    "what follows an upgrade": (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"x" * MEGABYTE,
    ),
    "headers": (_WEBHOOK, b"A: " + b"x" * 8000 + b"\r\n"),
    "zeros compressed a thousandfold": (
        _WEBHOOK + b"Content-Encoding: gzip\r\nContent-Length: 900000\r\n\r\n",
        b"\x1f\x8b\x08" + b"\x00" * 100_000,
    ),
}


@contextmanager
def many(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections at once; this process may have to be allowed them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, max(soft, count + 500))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with ExitStack() as stack:
        yield [stack.enter_context(connect(port)) for _ in range(min(count, wanted - 400))]


def posted(target: Target, port: int) -> None:
    """One more webhook, which is nobody's flood."""
    answers = talk(port, webhook(SECRET, b"one more") + GOODBYE)
    assert [answer.status for answer in answers] == [200, 200]
    target.acknowledged += 1


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_on_one_connection(target: Target, name: str) -> None:
    begin, again = FLOODS[name]
    with target.unharmed(target.impatient):
        for _ in range(3):
            with connect(target.impatient_port) as connection:
                send(connection, [begin, *[again] * (FLOOD_BYTES // len(again) // 4)])
            posted(target, target.impatient_port)


def test_a_client_that_asks_and_never_reads(target: Target) -> None:
    with target.unharmed(target.system.receiver), connect(target.port) as connection:
        connection.setblocking(False)
        asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                connection.send(asked)
            except BlockingIOError:
                break  # the receiver reads no further
        posted(target, target.port)


def test_bodies_of_strangers_have_bounded_room(target: Target) -> None:
    """Three hundred of a megabyte each, none of them finished."""
    with (
        target.unharmed(target.system.receiver),
        many(target.port, 300) as connections,
    ):
        head = _WEBHOOK + b"Content-Length: 1000000\r\n\r\n"
        for connection in connections:
            send(connection, [head, b"x" * 900_000])
        posted(target, target.port)
        found = {replies(rest(connection))[0].status for connection in connections}
        assert found <= {503, 408}


def test_headers_that_dribble_in_are_cut_off(target: Target) -> None:
    """Five hundred connections that each send a letter now and then."""
    with (
        target.unharmed(target.impatient),
        many(target.impatient_port, 500) as connections,
    ):
        for letter in b"POST / HTTP":
            for connection in connections:
                send(connection, [bytes([letter])])
        posted(target, target.impatient_port)
        for connection in connections:
            # Cut off while a letter was on its way, the answer is lost.
            assert rest(connection)[:13] in (b"HTTP/1.1 408 ", b"")


def test_bodies_that_dribble_in_are_cut_off(target: Target) -> None:
    with (
        target.unharmed(target.impatient),
        many(target.impatient_port, 300) as connections,
    ):
        for connection in connections:
            send(connection, [webhook(SECRET, b"never whole")[:-1]])
        posted(target, target.impatient_port)
        for connection in connections:
            assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_thousands_of_idle_connections_shut_nobody_out(target: Target) -> None:
    """More than the receiver keeps: the oldest go, and who is known stays."""
    with target.unharmed(target.system.receiver), connect(target.port) as known:
        send(known, [webhook(SECRET, b"one")])
        assert known.recv(65_536).startswith(b"HTTP/1.1 200 ")
        with many(target.port, 4500) as connections:
            posted(target, target.port)
            if len(connections) == 4500:
                assert connections[0].recv(1) == b""
            send(known, [webhook(SECRET, b"two") + GOODBYE])
            assert [answer.status for answer in replies(rest(known))] == [200, 200]
            target.acknowledged += 2


def test_garbage_by_the_thousand_leaves_the_log_alone(target: Target) -> None:
    with target.unharmed(target.impatient):
        for number in range(1000):
            with connect(target.impatient_port) as connection:
                send(connection, [b"\x00garbage %d\r\n\r\n" % number])
        posted(target, target.impatient_port)
