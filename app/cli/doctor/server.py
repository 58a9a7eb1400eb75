"""Redis: may events be trusted to it, is there room, does it keep what it is given?"""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.cli.doctor.mounts import mount_of
from app.store.connect import require_safe, server_facts
from app.store.server import ServerState, server_state

# Of the bound at which webhooks are refused.
_NEAR: Final = 0.8
_SKEW_WARNING_SECONDS: Final = 5.0
_SKEW_SECONDS: Final = 60.0
_SERVERS: Final = ("redis", "valkey", "keydb")
# Gone when a container is removed, and gone with the power.
_LAYERS: Final = frozenset({"overlay", "aufs"})
_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


async def safety(ground: Ground) -> list[Said]:
    """Version, eviction, append-only file, fsync, rights, replicas: as receiver and workers look
    at it when they start. Faults come as ConfigError."""
    warnings = await require_safe(ground.redis, ground.settings.redis_wait_replicas)
    if warnings:
        return [_with_fix(text) for text in warnings]
    facts = await server_facts(ground.redis)
    return [ok(f"{facts.name} {facts.version}: noeviction, append-only file, fsync always")]


async def memory(ground: Ground) -> list[Said]:
    """Room below the bound at which webhooks are refused."""
    state = await server_state(ground.redis)
    share = ground.settings.memory_share
    machine, limit = state.machine_bytes, state.memory_limit
    if not limit:
        fix = "set maxmemory to what Redis may take, two thirds of the machine's memory for example"
        return [warning("no maxmemory: when the machine is full, its kernel kills Redis", fix)]
    found = []
    if machine and limit > machine:
        text = f"maxmemory is {_size(limit)}, and the machine has {_size(machine)}"
        found.append(failed(text, "set maxmemory to two thirds of the machine's memory"))
    part = state.memory_used / limit
    said = f"{_size(state.memory_used)} of {_size(limit)} in use ({part:.0%})"
    more = "raise maxmemory, or see what fills it: `sluice ledger`, `sluice dead-letters groups`"
    if part >= share:
        text = f"{said}: beyond {share:.0%} every webhook is answered 503"
        found.append(failed(text, more))
    elif part >= share * _NEAR:
        text = f"{said}: beyond {share:.0%} every webhook is answered 503"
        found.append(warning(text, more))
    return found or [ok(said)]


async def volume(ground: Ground) -> list[Said]:
    """Whether its data outlives a container, where that can be seen from here."""
    state = await server_state(ground.redis)
    if not state.folder:
        raise NotAsked("Redis does not tell where its data lies: see that it is on a volume")
    mounts = await asyncio.to_thread(_mounts, ground, state)
    if mounts is None:
        raise NotAsked(
            f"Redis runs elsewhere, with its data in {state.folder} there: see that it is a volume"
        )
    point, kind = mount_of(state.folder, mounts)
    if kind in _LAYERS:
        text = f"its data in {state.folder} lies in the container's own layer ({kind} at {point})"
        fix = "mount a volume there, else everything goes with the container"
        return [failed(text, fix)]
    if kind in _MEMORY:
        text = f"its data in {state.folder} lies in memory ({kind} at {point})"
        return [failed(text, "put it on a disk: a power cut takes everything")]
    return [ok(f"its data in {state.folder} is on {kind} at {point}")]


async def writes(ground: Ground) -> list[Said]:
    """Whether the server's own writing to disk went well lately."""
    state = await server_state(ground.redis)
    fix = "look into the server's log, and whether its disk is full"
    found = [
        failed(f"the server says {name}: {value}", fix)
        for name, value in state.last_writes.items()
        if value != "ok"
    ]
    return found or [ok("its last writes to disk went well")]


async def clock(ground: Ground) -> list[Said]:
    """How far Redis' clock is from ours. Delivery goes by Redis', signatures by the receiver's."""
    before = time.monotonic()
    theirs = (await server_state(ground.redis)).time
    took = time.monotonic() - before
    skew = theirs - (ground.clock() - took / 2)
    found = []
    said = (
        f"Redis' clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    )
    fix = "let both follow a time server (NTP)"
    if abs(skew) - took > _SKEW_SECONDS:
        found.append(failed(said, fix))
    elif abs(skew) - took > _SKEW_WARNING_SECONDS:
        found.append(warning(said, fix))
    else:
        found.append(ok("Redis' clock agrees with this machine's"))
    return found


def _with_fix(text: str) -> Said:
    """The server's warnings end with their fix, a sentence of its own."""
    what, _, fix = text.rpartition(". ")
    return warning(what, fix) if what else warning(text, "see that they run and are connected")


def _mounts(ground: Ground, state: ServerState) -> str | None:
    """The mount table of the server's process; None when it runs elsewhere."""
    address = ground.settings.redis
    host = urlsplit(address.url).hostname or ""
    if address.sentinels or not (address.url.startswith("unix:") or _is_here(host)):
        return None
    process = Path(f"/proc/{state.process}")
    try:
        name = (process / "comm").read_text().strip()
        return (process / "mountinfo").read_text() if name.startswith(_SERVERS) else None
    except OSError:
        return None


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1", socket.gethostname()) or host.startswith("127.")


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1_000 or unit == "GB":
            break
        count /= 1_000
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
