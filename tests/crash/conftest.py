"""Systems to be hurt, and what must be true of them afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from app.sandbox.traffic import Shot, ShotKind, generate
from app.store import keys
from app.store.ledger import Row
from tests.e2e.system import Sent, System

# Everything the receiver may answer while something of ours is broken: nothing of this costs
# Customer.io's stream an hour (design.md section 4.3).
HARMLESS = {"200", "503"}


def events(seed: int, count: int) -> Iterator[Shot]:
    bodies = generate(seed, count)
    return (Shot(ShotKind.EVENT, number, body) for number, body in enumerate(bodies))


class Load:
    """Webhooks sent beside the test, until all of them were acknowledged."""

    def __init__(self, system: System, seed: int, count: int) -> None:
        self.sent = Sent()
        self._count = count
        self._task = asyncio.create_task(system.send(events(seed, count), sent=self.sent))

    @property
    def acknowledged(self) -> int:
        return len(self.sent.bodies)

    async def reached(self, count: int) -> None:
        """Returns when so many were acknowledged since the start."""
        while self.acknowledged < count:
            assert not self._task.done(), "all was sent before anything could be broken"
            await asyncio.sleep(0.005)

    async def finished(self) -> Sent:
        await self._task
        assert self.acknowledged == self._count
        return self.sent


async def nothing_is_lost(system: System, sent: Sent, most_repeats: int) -> Row:
    """The heart of it: acknowledged = in Platform; the ledger adds up; repeats are few."""
    row = await system.settled()
    arrived = await system.arrived()
    acknowledged = sent.ids | system.acknowledged
    # What was refused may be there all the same, when Redis wrote it but could not say so.
    assert acknowledged <= arrived.keys() <= acknowledged | system.posted
    assert (row.delivered, row.dead) == (len(arrived), 0)
    # Who got no answer sent again: that shows as duplicates, never as a loss.
    assert row.received == row.delivered + row.duplicates >= sum(sent.acknowledged.values())
    repeats = sum(arrived.values()) - len(arrived)
    print(f"{row.delivered} delivered, {row.duplicates} duplicates, {repeats} repeats")
    assert (await system.ask("/received"))["repeats"] == repeats <= most_repeats
    checked = await system.sluice("ledger", "--check", "--json")
    assert (checked.code, checked.json["faults"]) == (0, [])
    return row


async def holders(system: System) -> dict[str, str]:
    """Who holds which batch, by the leases' own record."""
    async with system.store() as store:
        found: dict[bytes, bytes] = await store.hgetall(keys.HELD)  # type: ignore[misc]
    owners = {str(batch, "ascii"): line.split()[0].decode() for batch, line in found.items()}
    return {batch: owner for batch, owner in owners.items() if owner != "-"}
