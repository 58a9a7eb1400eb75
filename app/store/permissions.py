"""What Sluice's user must be allowed to do in Redis; config/redis-acl.conf is the rule for it."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from app.store.faults import store_faults
from app.store.scripting import Script, Store, text_of

# Keys that are asked about: one of ours, and one of those that arq makes (arq/constants.py).
_OURS: Final = "sluice:doctor"
_ARQS: Final = "arq:job:doctor"

# What is given outside of scripts, by us and by arq.
_DATA: Final = (
    "del", "exists", "expire", "get", "getdel", "hdel", "hget", "hgetall", "hkeys", "hmget",
    "hscan", "hset", "hvals", "incr", "incrby", "mget", "pexpire", "psetex", "sadd", "set",
    "smembers", "strlen", "xadd", "xrevrange", "zadd", "zcard", "zincrby", "zrange",
    "zrangebyscore", "zrem", "zremrangebyscore", "zrevrangebyscore", "zscore",
)  # fmt: skip
_OTHER: Final = (
    "ping", "time", "dbsize", "info", "role", "multi", "exec", "watch", "unwatch", "wait 0 0",
    "config get appendfsync", "scan 0", "select 0",
)  # fmt: skip


def questions() -> list[str]:
    """Every command, with words enough that Redis asks for the right to the key as well."""
    scripts = (files("app.store") / "scripts").iterdir()
    names = [script.name.removesuffix(".lua") for script in scripts if script.is_file()]
    called = {
        name.lower()
        for text in map(text_of, names)
        for name in re.findall(r"redis\.p?call\('(\w+)'", text)
    }
    data = sorted((called | set(_DATA)) - {"time"})
    return [*_OTHER, *(f"{name} {key}" for name in data for key in (_OURS, _ARQS))]


async def lacking(redis: Store) -> list[str]:
    """The commands that the user of this connection may not give, each with a key it may not give
    it to. Raises StoreUnavailable, also when it may run no script at all."""
    with store_faults():
        found = await Script(redis, "permissions")([], list(questions()))
    return [str(each, "utf-8") for each in found]
