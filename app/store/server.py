"""What a Redis says of itself, and what must be true of it before events are trusted to it."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import ResponseError

from app.core.errors import ConfigError
from app.store.faults import store_faults
from app.store.permissions import lacking
from app.store.scripting import Store


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
    cluster: bool = False
    master: bool = True
    replicas: int = 0

    def faults(self) -> list[str]:
        """Reasons not to trust events to it, each with its fix. Empty = good."""
        found = []
        if self.cluster:
            found.append(
                "this is a node of a Redis Cluster, and Sluice wants one Redis: its scripts touch "
                "keys of many slots. Take one without cluster-enabled, with replicas and Sentinel "
                "if it must not stand alone"
            )
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
        if not self.master:
            return [
                "this Redis is a replica and takes no writes: every webhook is answered 503. Point "
                "SLUICE_REDIS_URL at the master, or set SLUICE_REDIS_SENTINELS"
            ]
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
        fsync = await _fsync(redis)
    return ServerFacts(
        name="valkey" if "valkey_version" in info else "redis",
        version=str(info["redis_version"]),
        policy=str(info["maxmemory_policy"]),
        append_only=bool(info["aof_enabled"]),
        fsync=fsync,
        memory_used=int(info["used_memory"]),
        memory_limit=int(info["maxmemory"]),
        cluster=bool(info.get("cluster_enabled", 0)),
        master=info["role"] == "master",
        replicas=int(info.get("connected_slaves", 0)),
    )


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a Redis is doing. Bytes; `memory_limit`, `machine_bytes` 0 = none, not said. `folder`:
    where its data lies, "" = it does not say; `process`: its number there; `last_writes`: what it
    wrote to disk last, `ok` when that went well; `time`: Unix seconds by its clock."""

    memory_used: int
    memory_limit: int
    machine_bytes: int
    folder: str
    process: int
    last_writes: dict[str, str]
    time: float


_WRITES = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")


async def server_state(redis: Store) -> ServerState:
    """Asks the server. Raises StoreUnavailable."""
    with store_faults():
        info = await redis.info()
        folder = await _config(redis, "dir")
        seconds, micros = await redis.time()
    return ServerState(
        memory_used=int(info["used_memory"]),
        memory_limit=int(info["maxmemory"]),
        machine_bytes=int(info.get("total_system_memory", 0)),
        folder=folder,
        process=int(info.get("process_id", 0)),
        last_writes={name: str(info[name]) for name in _WRITES if name in info},
        time=int(seconds) + int(micros) / 1e6,
    )


async def _fsync(redis: Store) -> str:
    """INFO does not say it."""
    return await _config(redis, "appendfsync") or "unknown"


async def _config(redis: Store, name: str) -> str:
    """One of its settings; "" when it may not be asked, as with a hosted Redis."""
    try:
        return str((await redis.config_get(name)).get(name, ""))
    except ResponseError:
        return ""


async def require_safe(redis: Store, wait_replicas: int = 0) -> list[str]:
    """Warnings about the server. Raises ConfigError when events must not be put there."""
    facts = await server_facts(redis)
    if faults := facts.faults():
        raise ConfigError(faults)
    if missing := await lacking(redis):
        raise ConfigError(
            [
                f"Redis does not let this user do {', '.join(missing)}: give it what "
                "config/redis-acl.conf has"
            ]
        )
    warnings = facts.warnings()
    if facts.replicas < wait_replicas:
        warnings.append(
            f"Redis has {facts.replicas} replica(s), and SLUICE_REDIS_WAIT_REPLICAS wants "
            f"{wait_replicas}: until they are there every webhook is answered 503"
        )
    return warnings
