"""One way to open Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from app.core.errors import ConfigError
from app.core.redis_address import RedisAddress
from app.store import keys
from app.store.links import Guide, GuidedLink, GuidedTlsLink, Link, TlsLink, tls_context
from app.store.scripting import Store
from app.store.server import ServerFacts, require_safe, server_facts

__all__ = [
    "ServerFacts",
    "Store",
    "open_store",
    "open_swift_store",
    "require_safe",
    "server_facts",
]

_CONNECT_SECONDS: Final = 5.0


def open_store(
    where: RedisAddress | str,
    *,
    connections: int = 16,
    timeout_seconds: float = 10.0,
    retries: int = 1,
    data_dir: Path | None = None,
) -> Store:
    """A client; nothing is sent yet. A text is a URL and no more than that.

    `data_dir`: where dead letters that were spilled are read from.

    A command whose connection broke is sent once more: every script of ours may run twice, and a
    connection that died while idle must not cost a batch. Who finds all connections in use waits.
    Raises ConfigError when files of the address cannot be read.
    """
    options, guide = _options(where, connections, retries)
    pool = BlockingConnectionPool(
        timeout=timeout_seconds,  # type: ignore[arg-type]  # stub errs
        **options | {"socket_timeout": timeout_seconds},
    )
    store = _store(pool, guide)
    store.data_dir = data_dir
    return store


def open_swift_store(where: RedisAddress | str, *, connections: int = 64) -> Store:
    """The same for who sets time limits to its own calls, and cannot wait for a connection.

    With a time-out redis-py sends each command through a task of its own, so it leaves one turn of
    the event loop later: a millisecond in a busy receiver, for every webhook of the batch.
    """
    options, guide = _options(where, connections, 1)
    return _store(ConnectionPool(**options), guide)


def _options(
    where: RedisAddress | str, connections: int, retries: int
) -> tuple[dict[str, Any], Guide | None]:
    address = RedisAddress(where) if isinstance(where, str) else where
    options: dict[str, Any] = {
        **parse_url(address.url),
        "max_connections": connections,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), retries),
        "retry_on_error": [ConnectionError],
    }
    if address.password is not None:
        options["password"] = address.password
    if address.url.startswith("unix:"):
        return options, None
    # A unix socket has no keep-alive, and redis-py refuses the option there.
    options["socket_keepalive"] = True
    try:
        tls = tls_context(address)
    except OSError as fault:
        raise ConfigError(
            [f"SLUICE_REDIS_CA_FILE, _CERT_FILE, _KEY_FILE: one cannot be used: {fault}"]
        ) from None
    guide = Guide(address.sentinels, tls) if address.sentinels else None
    if tls:
        options["tls"] = tls
    if guide:
        options["guide"] = guide
        options["connection_class"] = GuidedTlsLink if tls else GuidedLink
    else:
        options["connection_class"] = TlsLink if tls else Link
    return options, guide


def _store(pool: ConnectionPool, guide: Guide | None) -> Store:
    store = Store(
        pool_or_conn=pool,
        # arq's default is pickle; ids and a function name need no more than JSON.
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
        default_queue_name=keys.ARQ_QUEUE,
    )
    store.guide = guide
    return store
