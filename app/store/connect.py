"""One way to open Redis, and what must be true of it before events are trusted to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from app.core.errors import ConfigError
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

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
    url: str,
    *,
    connections: int = 16,
    timeout_seconds: float = 10.0,
    retries: int = 1,
    data_dir: Path | None = None,
) -> Store:
    """A client for `url` (redis://, rediss:// or unix://); nothing is sent yet.

    `data_dir`: where dead letters that were spilled are read from.

    A command whose connection broke is sent once more: every script of ours may run twice, and a
    connection that died while idle must not cost a batch. Who finds all connections in use waits.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        **_options(url, connections, retries),
    )
    store = _store(pool)
    store.data_dir = data_dir
    return store


def open_swift_store(url: str, *, connections: int = 64) -> Store:
    """The same for who sets time limits to its own calls, and cannot wait for a connection.

    With a time-out redis-py sends each command through a task of its own, so it leaves one turn of
    the event loop later: a millisecond in a busy receiver, for every webhook of the batch.
    """
    return _store(ConnectionPool.from_url(url, **_options(url, connections, 1)))


def _options(url: str, connections: int, retries: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "max_connections": connections,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), retries),
        "retry_on_error": [ConnectionError],
    }
    # TCP only: a unix socket has no keep-alive, and redis-py refuses the option there.
    return options if url.startswith("unix:") else options | {"socket_keepalive": True}


def _store(pool: ConnectionPool) -> Store:
    return Store(
        pool_or_conn=pool,
        # arq's default is pickle; ids and a function name need no more than JSON.
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
        default_queue_name=keys.ARQ_QUEUE,
    )


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a Redis says of itself. Bytes; `memory_limit` 0 = none."""

    name: str
    version: str
    policy: str
    append_only: bool
    fsync: str
    memory_used: int
    memory_limit: int

    def faults(self) -> list[str]:
        """Reasons not to trust events to it, each with its fix. Empty = good."""
        found = []
        if self.policy != "noeviction":
            found.append(
                f"Redis maxmemory-policy is {self.policy}: it would evict acknowledged events. "
                "Set it to noeviction (config/redis.conf does)"
            )
        if int(self.version.split(".")[0]) < 7:
            found.append(f"Redis {self.version} is too old: 7.0 or newer is needed")
        return found

    def warnings(self) -> list[str]:
        """What weakens the promise that an acknowledged event is safe, each with its fix."""
        if not self.append_only:
            return ["Redis has no append-only file: a restart loses events. Set appendonly yes"]
        if self.fsync != "always":
            return [
                f"Redis appendfsync is {self.fsync}: a power cut can lose acknowledged events of "
                "the last second. Set appendfsync always"
            ]
        return []


async def server_facts(redis: Store) -> ServerFacts:
    """Asks the server. Raises StoreUnavailable."""
    with store_faults():
        info = await redis.info()
        config = await redis.config_get("maxmemory-policy", "appendfsync")  # type: ignore[arg-type]  # stub errs
    return ServerFacts(
        name="valkey" if "valkey_version" in info else "redis",
        version=str(info["redis_version"]),
        policy=str(config.get("maxmemory-policy", "unknown")),
        append_only=bool(info["aof_enabled"]),
        fsync=str(config.get("appendfsync", "unknown")),
        memory_used=int(info["used_memory"]),
        memory_limit=int(info["maxmemory"]),
    )


async def require_safe(redis: Store) -> list[str]:
    """Warnings about the server. Raises ConfigError when events must not be put there."""
    facts = await server_facts(redis)
    if faults := facts.faults():
        raise ConfigError(faults)
    return facts.warnings()
