"""The drills of this folder's docstring."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.core.batch import decode
from app.sandbox.customerio.sender import send_all
from app.sandbox.traffic import Shot, generate
from app.sandbox.traffic import ShotKind as Kind
from app.store import keys
from tests.drills.joining import connect
from tests.e2e.system import INLETS, Sent, System, event_id_of, running


def shots(seed: int, count: int) -> Iterator[Shot]:
    return (Shot(Kind.EVENT, n, body) for n, body in enumerate(generate(seed, count)))


@dataclass(slots=True)
class Timed(Sent):
    """Remembers when each was acknowledged, too: id -> Unix ms."""

    when: dict[str, float] = field(default_factory=dict)

    def acknowledge(self, shot: Shot, seconds: float) -> None:
        Sent.acknowledge(self, shot, seconds)
        self.when[event_id_of(shot.body)] = time.time() * 1000


async def paced(system: System, seed: int, rate: float, seconds: float, connection: str) -> Timed:
    sent = Timed()
    manner = system.manner(connection, rate=rate)
    await send_all(shots(seed, int(rate * seconds)), manner, sent)
    return sent


async def messages_in(system: System, connection: str = "example") -> int:
    inlets = (await system.ask("/received"))["inlets"]
    return int(inlets.get(INLETS[connection]["id"], {}).get("messages", 0))


def attempts(system: System) -> list[dict[str, Any]]:
    return [line for worker in system.workers for line in worker.lines("delivery.attempted")]


async def throttle(folder: Path, limit: float, seconds: float, workers: int) -> dict[str, Any]:
    """A Platform that answers 429 above `limit` messages/s and says no more than that."""
    strict = ("--messages-per-second", str(limit))
    environ = {"SLUICE_RETRY_BASE_SECONDS": "2", "SLUICE_RETRY_CAP_SECONDS": "3600"}
    async with running(folder, workers=workers, sandbox=strict, environ=environ) as system:
        await system.send(shots(1, int(limit * (seconds + 30))))
        found, statuses, began = [], [], time.monotonic()
        while time.monotonic() - began < seconds:
            found.append((time.monotonic(), await messages_in(system)))
            statuses.append(len(attempts(system)))
            await asyncio.sleep(1)
        lines = attempts(system)
    settled = len(found) // 3
    (at, count), (end, last) = found[settled], found[-1]
    late = lines[statuses[settled] :]
    share = [sum(x["status"] == 429 for x in part) / len(part) for part in (lines, late)]
    return {
        "drill": "throttle", "limit": limit, "workers": workers, "seconds": seconds,
        "messages_per_second": round((last - count) / (end - at), 1),
        "of_the_limit": round((last - count) / (end - at) / limit, 3),
        "requests": len(lines), "refused_share": round(share[0], 4),
        "refused_share_settled": round(share[1], 4),
    }  # fmt: skip


async def outage(
    folder: Path, rate: float, seconds: float, workers: int, limit: float = 9_000
) -> dict[str, Any]:
    """Platform is down for so long, while events come; then it is well, and they go on coming.

    `limit`: messages/s that the connection may send.
    """
    environ = {"SLUICE_RETRY_BASE_SECONDS": "2", "SLUICE_RETRY_CAP_SECONDS": "3600"}
    limits = {"messages_per_second": limit}
    async with running(folder, workers=workers, environ=environ, limits=limits) as system:
        await system.fault(status=503)
        down = await paced(system, 1, rate, seconds, "example")
        async with system.store() as store:
            tries = [0]
            async for name in store.scan_iter(keys.BATCH_PREFIX + "*", count=1000):
                tries.append(decode(await store.get(name)).tries)
            batches = len(tries) - 1
        asked = len(attempts(system))
        await system.recover()
        recovered = time.monotonic()
        while not await messages_in(system):  # noqa: ASYNC110  # another process's
            await asyncio.sleep(0.05)
        opened = time.monotonic() - recovered
        after = asyncio.create_task(paced(system, 2, rate, 30, "example"))
        drained = 0.0
        while not drained:
            arrived = await messages_in(system)
            done = arrived >= len(down.bodies) and await lane_waits(system) == 0
            drained = time.monotonic() - recovered - opened if done else 0.0
            speed = arrived / drained if done else 0.0
            await asyncio.sleep(0.2)
        new = await after
        row = await system.settled(seconds=120)
        tail = time.monotonic() - recovered
        late = await lateness(system, new)
    return {
        "drill": "outage", "seconds": seconds, "rate": rate, "workers": workers,
        "backlog": len(down.bodies), "batches": batches, "attempts_burnt_most": max(tries),
        "requests_while_down": asked, "open_again_after_s": round(opened, 1),
        "backlog_drained_in_s": round(drained, 1), "limit": limit,
        "messages_per_second": round(speed, 1), "all_settled_after_s": round(tail, 1),
        "new_events_median_ms": late, "delivered": row.delivered, "dead": row.dead,
    }  # fmt: skip


async def credentials(folder: Path, rate: float, seconds: float, workers: int) -> dict[str, Any]:
    """The inlet refuses our token and IMS gives no other, for so long; then an operator, who has
    mended it, resumes the lane."""
    async with running(folder, workers=workers) as system:
        await system.send(shots(1, 10), "guarded")
        await system.settled("guarded")
        await system.fault(expired_token=True)
        await system.fault(scope="ims", status=401)
        sent = await paced(system, 2, rate, seconds, "guarded")
        async with system.store() as store:
            tries = [0]
            async for name in store.scan_iter(keys.BATCH_PREFIX + "*", count=1000):
                tries.append(decode(await store.get(name)).tries)
        asked, waiting = len(attempts(system)), (await system.row("guarded")).in_flight
        alarms = [line for w in system.workers for line in w.lines("lane.paused")]
        await system.recover()
        await system.sluice("lanes", "resume", "guarded")
        resumed = time.monotonic()
        row = await system.settled("guarded", seconds=300)
    return {
        "drill": "credentials", "seconds": seconds, "rate": rate, "workers": workers,
        "events": len(sent.bodies), "waiting_at_the_end": waiting,
        "attempts_burnt_most": max(tries), "requests_in_all": asked,
        "alarms": sum(line["level"] == "error" for line in alarms),
        "drained_in_s": round(time.monotonic() - resumed, 1),
        "delivered": row.delivered, "dead": row.dead,
    }  # fmt: skip


async def lane_waits(system: System) -> int:
    async with system.store() as store:
        return int(await store.zcard(keys.waiting("example")))


async def lateness(system: System, sent: Timed) -> float:
    """Median ms from acknowledging a webhook to Platform's receipt, of those sent after."""
    found = sorted(await delays(system, sent, "example"))
    return round(found[len(found) // 2], 1)


async def delays(system: System, sent: Timed, connection: str) -> list[float]:
    acknowledged = sent.when
    inlet, after = INLETS[connection]["id"], 0
    found: list[float] = []
    while True:
        page = await system.ask(f"/received?limit=5000&after={after}")
        for record in page["records"]:
            if record["inlet"] == inlet and record["_id"] in acknowledged:
                found.append(record["received_ms"] - acknowledged[record["_id"]])
        if page["after"] is None:
            return found
        after = page["after"]


async def beside(folder: Path, rate: float, seconds: float, workers: int) -> dict[str, Any]:
    """One connection's latency alone, and while the inlet of another never answers."""
    async with running(folder, workers=workers) as system:
        alone = await delays(system, await paced(system, 1, rate, seconds, "example"), "example")
        await system.fault(hang=True, inlet=INLETS["raw"]["id"])
        other = asyncio.create_task(paced(system, 2, 200, seconds, "raw"))
        await system.fault_hit()
        mine = await paced(system, 3, rate, seconds - 2, "example")
        await system.settled()
        both = await delays(system, mine, "example")
        await other
        await system.recover()
    shown = {
        f"{name}_p{percent}_ms": round(sorted(part)[int(len(part) * percent / 100)], 1)
        for (name, part), percent in itertools.product(
            (("alone", alone), ("beside", both)), (50, 99)
        )
    }
    ratio = shown["beside_p50_ms"] / shown["alone_p50_ms"]
    return {"drill": "beside", "rate": rate, **shown, "ratio_p50": round(ratio, 2)}


_DRILLS: Final = {"beside": beside, "credentials": credentials}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.drills")
    parser.add_argument("drill", choices=("throttle", "outage", "connect", *_DRILLS))
    parser.add_argument("--limit", type=float, help="messages/s; throttle 300, outage 9000")
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        if given.drill == "throttle":
            ran = throttle(path, given.limit or 300, given.seconds, given.workers)
        elif given.drill == "outage":
            ran = outage(path, given.rate, given.seconds, given.workers, given.limit or 9_000)
        elif given.drill == "connect":
            ran = connect(path)
        else:
            ran = _DRILLS[given.drill](path, given.rate, given.seconds, given.workers)
        print(json.dumps(asyncio.run(ran)))


if __name__ == "__main__":
    main()
