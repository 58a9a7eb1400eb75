"""Too many connections: who must go, and who never."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from dataclasses import dataclass

from app.core.signature import sign
from app.web.strangers import Strangers

PROGRAM = """
import resource
from app.web.strangers import most_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
print(most_connections(4096), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@dataclass(eq=False)
class Client:
    busy: bool = False
    closed: bool = False

    def force_close(self) -> None:
        self.closed = True


def test_the_oldest_idle_stranger_makes_room_for_the_newest() -> None:
    strangers = Strangers(3)
    clients = [Client(busy=n == 0) for n in range(5)]

    cut = [strangers.came(client, min(number, 4)) for number, client in enumerate(clients, 1)]

    assert cut == [False, False, False, True, True]
    assert [client.closed for client in clients] == [False, True, True, False, False]


def test_with_none_but_busy_ones_the_oldest_goes() -> None:
    strangers = Strangers(1)
    clients = [Client(busy=True), Client(busy=True)]
    for number, client in enumerate(clients, 1):
        strangers.came(client, number)
    assert [client.closed for client in clients] == [True, False]


def test_who_is_trusted_or_gone_is_never_cut_and_a_single_stranger_comes_in() -> None:
    strangers = Strangers(2)
    trusted, other, late = Client(), Client(), Client()
    for number, client in enumerate((trusted, other), 1):
        strangers.came(client, number)
        strangers.forget(client)

    assert not strangers.came(late, 3)
    assert not (trusted.closed or other.closed or late.closed)


def test_the_limit_of_open_files_is_raised_and_then_kept_to() -> None:
    hard = min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    said = subprocess.check_output([sys.executable, "-c", PROGRAM.format(hard=hard)], text=True)
    assert said.split() == [str(hard - 128), str(hard)]


async def test_a_crowd_of_idle_connections_shuts_nobody_out(serve, fake_store) -> None:
    async with serve(max_connections=20) as client:
        assert await client.post() == 200  # on a connection that stays open
        crowd = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(100)]
        # Whoever comes now is served, and so is who was there before.
        stamp = b"1700000000"
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += b"X-CIO-Timestamp: %b\r\nContent-Length: 2\r\n" % stamp
        head += b"X-CIO-Signature: %b\r\n\r\n{}" % sign(b"the-key", stamp, b"{}").encode()
        assert (await client.raw(head)).startswith(b"HTTP/1.1 200 ")
        assert await client.post() == 200
        assert await client.metric("sluice_webhooks_refused_total", reason="crowded") >= 80
        assert await crowd[0][0].read() == b""
        for _, writer in crowd:
            writer.close()
