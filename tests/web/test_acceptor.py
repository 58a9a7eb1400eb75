"""Sharing a listening socket fairly, and surviving what accept can say."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from app.web.acceptor import Acceptor


class Greeter(asyncio.Protocol):
    """Says which acceptor took the connection."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def connection_made(self, transport):
        transport.write(self.name)
        transport.close()


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.setblocking(False)
        yield listening


async def greeting(listening) -> bytes:
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_two_acceptors_share_what_waits(listening):
    port = listening.getsockname()
    clients = [socket.create_connection(port) for _ in range(10)]
    acceptors = [
        Acceptor(listening.dup(), lambda name=name: Greeter(name)) for name in (b"one", b"two")
    ]

    loop = asyncio.get_running_loop()
    for client in clients:
        client.setblocking(False)
    names = [await loop.sock_recv(client, 10) for client in clients]
    for closable in (*clients, *acceptors):
        closable.close()

    assert names.count(b"one") == names.count(b"two") == 5


async def test_after_one_acceptor_closed_the_other_takes_all(listening):
    first = Acceptor(listening.dup(), lambda: Greeter(b"one"))
    second = Acceptor(listening.dup(), lambda: Greeter(b"two"))
    first.close()
    assert [await greeting(listening) for _ in range(3)] == [b"two"] * 3
    second.close()


async def test_a_want_of_descriptors_passes_and_is_logged_once(listening, capsys):
    class Exhausted:
        left = 3

        def fileno(self):
            return listening.fileno()

        def accept(self):
            self.left -= 1
            if self.left >= 0:
                raise OSError(errno.EMFILE, "too many open files")
            return listening.accept()

        def close(self):
            pass

    acceptor = Acceptor(Exhausted(), lambda: Greeter(b"at last"))
    assert await greeting(listening) == b"at last"
    acceptor.close()
    assert capsys.readouterr().out.count("receiver.accept_failed") == 1
