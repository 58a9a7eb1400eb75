"""Connections to Redis: over TLS where asked for, and never for long with a server that is no
master (any more)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, Final

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import ConnectionError, ReadOnlyError, RedisError
from redis.utils import str_if_bytes

from app.core.redis_address import Endpoint, RedisAddress, Sentinels

# A Sentinel answers from memory; one that is away must not hold up the next.
_ASK_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.5


class Link(Connection):
    """TCP. After READONLY it connects anew before its next use: a name, a proxy or a Sentinel may
    lead to the new master by then, and the old one would refuse for ever."""

    _doubted = False

    async def connect(self) -> None:
        """Called before each use."""
        if self._doubted:
            self._doubted = False
            await self.disconnect(nowait=True)
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py's

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().read_response(*args, **kwargs)
        except ReadOnlyError:
            # Not at once: the other answers of a pipeline are still to be read.
            self._doubted = True
            raise


class TlsLink(Link, SSLConnection):
    """The same over TLS. `tls`: see `tls_context`."""

    def __init__(self, *, tls: ssl.SSLContext, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # redis-py's own looks at no name, and trusts the machine's authorities beside ours.
        self.ssl_context.context = tls


class GuidedLink(Link):
    """TCP, to whatever is the master now."""

    def __init__(self, *, guide: Guide, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._guide = guide

    async def connect(self) -> None:
        """A master that was replaced while it lives takes writes for seconds, and all are lost."""
        self._guide.look()
        if self._guide.known not in (None, (self.host, self.port)):
            self._doubted = True
        await super().connect()

    async def _connect(self) -> None:
        self.host, self.port = await self._guide.master()
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's

    async def on_connect(self) -> None:
        """A Sentinel can be behind the times (redis.io, "Sentinel client spec", step 3), so the
        server itself is asked, too."""
        await super().on_connect()
        await self.send_command("ROLE")
        role = str_if_bytes((await self.read_response())[0])
        if role != "master":
            raise ConnectionError(f"{self.host}:{self.port} is a {role}, no master (any more)")


class GuidedTlsLink(GuidedLink, TlsLink):
    """The same over TLS. Its certificate must be for what the Sentinels call it."""


class Guide:
    """Asks the Sentinels where the master is. One per store."""

    def __init__(self, sentinels: Sentinels, tls: ssl.SSLContext | None) -> None:
        # The master, as it was heard last.
        self.known: tuple[str, int] | None = None
        self._name = sentinels.master
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._sentinel = Sentinel([])  # type: ignore[no-untyped-call]  # redis-py's
        self._sentinel.sentinels = [_ask(each, sentinels, tls) for each in sentinels.endpoints]

    async def master(self) -> tuple[str, int]:
        """Where it is, as the first Sentinel says that can be asked and sees it alive.

        Raises redis-py's ConnectionError when none does.
        """
        host, port = await self._sentinel.discover_master(self._name)
        self.known = str(host), int(port)
        return self.known

    def look(self) -> None:
        """Asks beside the caller's work, at most every `_LOOK_SECONDS`."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at > _LOOK_SECONDS:
            self._asked_at = loop.time()
            if self._asking is None or self._asking.done():
                self._asking = loop.create_task(self._look())

    async def _look(self) -> None:
        # That nobody can be asked is no news while the master answers.
        with contextlib.suppress(RedisError, OSError):
            await self.master()

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        for each in self._sentinel.sentinels:
            await each.aclose(close_connection_pool=True)


def tls_context(address: RedisAddress) -> ssl.SSLContext | None:
    """The certificate must be signed by the CA file (without one: by whom this machine trusts), be
    valid, and be the host's. None: no TLS. Raises OSError for files that cannot be used."""
    if not address.encrypted:
        return None
    context = ssl.create_default_context(cafile=address.ca_file)
    if address.cert_file:
        context.load_cert_chain(address.cert_file, address.key_file, password=b"")
    return context


def _ask(where: Endpoint, sentinels: Sentinels, tls: ssl.SSLContext | None) -> Redis:
    options: dict[str, Any] = {
        "host": where.host,
        "port": where.port,
        "username": sentinels.username,
        "password": sentinels.password,
        "socket_timeout": _ASK_SECONDS,
        "socket_connect_timeout": _ASK_SECONDS,
    }
    options |= {"connection_class": TlsLink, "tls": tls} if tls else {"connection_class": Link}
    return Redis(connection_pool=ConnectionPool(**options))
