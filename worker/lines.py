"""Who gets a worker's hands: a line per connection, so that one lane's trouble is its own.

A bell for a lane that is held back, or that has its share of the jobs, is not waited for: its
batches are laid aside at the price of one script, and pulled when the lane has room again: in turns
from the backlog of the last pause and from what came since, so neither starves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.core.batch_id import BatchId
from app.core.errors import StoreUnavailable
from app.store.waiting import End, Waiting
from worker.ending import end
from worker.lane import Room

LOOK_SECONDS: Final = 1.0
# However busy the others are, a lane may always have so many jobs: one whose answers are awaited,
# and one that fills the next request.
_JOBS_LEAST: Final = 2


class Taker(Protocol):
    """worker.desk.Desk, as far as lines are concerned."""

    progress: int

    async def answer(self, batch_ids: Sequence[str]) -> None: ...


class Roomy(Protocol):
    """worker.lane.Lane, as far as lines are concerned."""

    async def room(self) -> Room: ...
    async def give_back(self, room: Room) -> None: ...


@dataclass(slots=True)
class _Line:
    connection: str
    lane: Roomy
    jobs: int = 0
    # Batches were laid aside, by us or by others.
    waiting: bool = False
    newer_first: bool = False
    # The connection was removed.
    gone: bool = False


class Lines:
    """All lines of one worker process."""

    def __init__(
        self, desk: Taker, waiting: Waiting, lanes: Mapping[str, Roomy], max_jobs: int
    ) -> None:
        self._desk = desk
        self._waiting = waiting
        self._lines: dict[str, _Line] = {}
        self._most = max_jobs
        self._share = max_jobs
        self.follow(lanes)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def follow(self, lanes: Mapping[str, Roomy]) -> None:
        """From now on these are the lanes. What is worked on for one that is gone or replaced is
        finished; what was laid aside for it stays where it is."""
        lines = {name: self._lines.get(name) or _Line(name, lane) for name, lane in lanes.items()}
        for name, line in lines.items():
            line.lane = lanes[name]
        for name in self._lines.keys() - lines.keys():
            self._lines[name].gone = True
        self._lines = lines
        # With one connection there is nobody to leave room for.
        alone = len(lanes) < 2
        self._share = self._most if alone else max(_JOBS_LEAST, self._most // 2)

    @property
    def bells_at_once(self) -> int:
        """How many bells must be heard at a time, so that no lane's jobs hide another's bells."""
        return self._most + _JOBS_LEAST * len(self._lines) + 1

    async def answer(self, batch_ids: Sequence[str]) -> None:
        """Works on the batches of a bell, or lays them aside."""
        found: dict[str, list[str]] = {}
        for batch_id in batch_ids:
            found.setdefault(BatchId.parse(batch_id).connection, []).append(batch_id)
        await asyncio.gather(*(self._answer(name, ids) for name, ids in found.items()))

    async def run(self) -> None:
        """For ever: looks every second whether something waits that can go on."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Starts to work on what waits, where there is room. Raises StoreUnavailable."""
        for name in await self._waiting.connections():
            if line := self._lines.get(name):
                line.waiting = True
                self._more(line)

    async def stop(self, grace_seconds: float) -> None:
        """Takes up nothing new; cancels after the grace what is still worked on."""
        self._stopping = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
            await end(late)

    async def _answer(self, connection: str, batch_ids: list[str]) -> None:
        line = self._lines.get(connection)
        if line is None:
            await self._desk.answer(batch_ids)
            return
        async with _room(line.lane) as room:
            fit = _fit(batch_ids, room) if self._free(line) else 0
            if fit:
                # Before anything is awaited: the place is taken.
                line.jobs += 1
            if fit < len(batch_ids):
                await self._park(line, batch_ids[fit:])
            if fit:
                await self._work(line, batch_ids[:fit])

    async def _work(self, line: _Line, batch_ids: Sequence[str]) -> None:
        try:
            await self._desk.answer(batch_ids)
        finally:
            line.jobs -= 1
            self._more(line)

    async def _park(self, line: _Line, batch_ids: Sequence[str]) -> None:
        line.waiting = True
        with contextlib.suppress(StoreUnavailable):  # the sweep rings again
            await self._waiting.park(line.connection, batch_ids)
            # A worker that lays aside a hundred thousand batches is not stuck (worker.watch).
            self._desk.progress += 1

    def _free(self, line: _Line) -> bool:
        if line.jobs < _JOBS_LEAST:
            return True
        return line.jobs < self._share and sum(x.jobs for x in self._lines.values()) < self._most

    def _more(self, line: _Line) -> None:
        """One more job for what waits, if there is anything and a place for it."""
        if line.waiting and not (self._stopping or line.gone) and self._free(line):
            line.jobs += 1
            task = asyncio.create_task(self._pull(line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pull(self, line: _Line) -> None:
        async with _room(line.lane) as room:
            batch_ids = await self._pulled(line, room) if room.batches else []
            if batch_ids:
                self._more(line)
                await self._work(line, batch_ids)
            else:
                line.jobs -= 1

    async def _pulled(self, line: _Line, room: Room) -> list[str]:
        """As much of what waits as there is room for, from one end of the line or the other."""
        line.newer_first = not line.newer_first
        batch_ids: list[str] = []
        with contextlib.suppress(StoreUnavailable):
            batch_ids = await self._waiting.pull(
                line.connection, room.batches, room.events, _end(line, room)
            )
        line.waiting = bool(batch_ids)
        return batch_ids


@contextlib.asynccontextmanager
async def _room(lane: Roomy) -> AsyncIterator[Room]:
    """What the lane has room for, until that is worked on. A probe that had nothing to send (only
    duplicates, say) is then anybody's."""
    room = await lane.room()
    try:
        yield room
    finally:
        await lane.give_back(room)


def _end(line: _Line, room: Room) -> End:
    """Which of what waits goes first now. A probe takes turns between the oldest and the very
    newest: should the oldest be what Platform stumbles over, the lane would never open again."""
    if not line.newer_first:
        return End.BACKLOG
    return End.NEWEST if room.probe else End.NEWER


def _fit(batch_ids: Sequence[str], room: Room) -> int:
    """How many of them there is room for: as many as their events allow, but one for sure."""
    events = 0
    for at, batch_id in enumerate(batch_ids[: room.batches]):
        events += BatchId.parse(batch_id).events
        if at and events > room.events:
            return at
    return min(len(batch_ids), room.batches)
