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


async def _fsync(redis: Store) -> str:
    """INFO does not say it, and a hosted Redis may not let us ask."""
    try:
        config = await redis.config_get("appendfsync")
    except ResponseError:
        return "unknown"
    return str(config.get("appendfsync", "unknown"))


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
