"""Replay runs: many dead letters, frozen as a selection, put back on the queue at a bounded rate.
One API under all faces; the worker's side is replay_steps.py. Every method raises StoreUnavailable.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

import orjson

from app.core.dead_letter import DeadLetterSummary
from app.core.replay_run import Orders, ReplayRun, RunState, read_run
from app.core.selection import Census, pack_numbers, unpack_numbers
from app.store import keys
from app.store.dead_letters import DeadLetters, Filter
from app.store.faults import store_faults
from app.store.scripting import Script, Store

_PAGE: Final = 1_000
# Letters in one part of a selection: a part is read whole for each step.
_PART: Final = 5_000
# Whoever freezes shows signs of life within this time, or the run is cancelled.
FREEZE_LEASE_MS: Final = 30_000


# From which states a person may turn a run to another.
_MAY: Final[Mapping[RunState, tuple[RunState, ...]]] = {
    RunState.FROZEN: (RunState.FREEZING,),
    RunState.RUNNING: (RunState.FROZEN, RunState.PAUSED, RunState.STOPPED),
    RunState.PAUSED: (RunState.RUNNING,),
    RunState.CANCELLED: tuple(state for state in RunState if not state.over),
}


class ReplayRuns:
    """All runs, as people see them."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._begin = Script(redis, "run_begin")
        self._freeze = Script(redis, "run_freeze")
        self._turn = Script(redis, "run_turn")

    async def begin(
        self, wanted: Filter, orders: Orders, by: str, recipe: tuple[str, str] | None = None
    ) -> ReplayRun:
        """A new run. `freeze` must follow soon, else a worker cancels it.

        `recipe`: NAME@VERSION and text of the one that mends each letter before it is put.
        """
        asked = {name: value for name, value in asdict(wanted).items() if value is not None}
        if "person" in asked:  # a run is kept for good, and whom it was about is nobody's business
            asked["person"] = "(one)"
        fields = {"by": by, "wanted": orjson.dumps(asked), **asdict(orders)}
        if recipe is not None:
            fields |= {"recipe": recipe[0], "recipe_text": recipe[1]}
        number, _ = await self._begin(
            [keys.REPLAY_NUMBER, keys.REPLAYS, keys.REPLAYS_ACTIVE, keys.DEAD_NUMBER],
            [keys.REPLAY_PREFIX, FREEZE_LEASE_MS, *(x for pair in fields.items() for x in pair)],
        )
        return await self.get(int(number)) or ReplayRun(int(number), RunState.CANCELLED)

    async def freeze(
        self, run: ReplayRun, wanted: Filter, told: Callable[[int], None] = lambda _: None
    ) -> Census | None:
        """Writes the selection: what `wanted` finds and had died when the run was made, by number;
        so nothing that dies later is in it. None: the run was cancelled meanwhile.

        `told` hears how many there are so far. The parts are numbered from the newest letters on.
        """
        census, writing = Census(), _Writing(self, run.number)
        letters, cursor = DeadLetters(self._redis), ""
        while True:
            page = await letters.page(wanted, cursor, _PAGE)
            for letter in page.letters:
                if letter.number <= run.cutoff:
                    await writing.add(letter)
                    census.add(letter)
            told(census.letters)
            if page.cursor is None:
                break
            cursor = page.cursor
            # However few are found among many: it is still being frozen.
            if not await self.keep_freezing(run.number):
                return None
        await writing.finish()
        packed = orjson.dumps(census.document())
        was = await self._to(run.number, RunState.FROZEN, "", {"census": packed})
        return census if was is RunState.FREEZING else None

    async def keep_freezing(self, number: int, *part: Any) -> bool:
        """A sign of life of who freezes, and maybe a part: its name, its numbers packed, how many.
        False: the run is not being frozen any more, and nothing was changed."""
        names = [keys.replay_run(number), keys.replay_selection(number)]
        return bool(await self._freeze(names, [FREEZE_LEASE_MS, *part]))

    async def start(
        self, number: int, rate: float | None = None, stop_at: float | None = None
    ) -> RunState | None:
        """Starts a frozen run, or goes on with one that is paused or stopped; `rate` and `stop_at`
        change it.

        Like its sisters it answers with the state the run was in, None = there is no such run; it
        was changed if that state allows it (`may`).
        """
        orders = {"rate": rate, "stop_at": stop_at}
        fields: dict[str, Any] = {n: value for n, value in orders.items() if value is not None}
        run = await self.get(number)
        if run is not None and not run.started_ms:
            fields["started_ms"] = await self._now_ms()
        return await self._to(number, RunState.RUNNING, "", fields)

    async def draw(self, number: int, sample: int) -> list[int]:
        """Numbers of `sample` letters of a run's selection, by lot; [] once it is over."""
        with store_faults():
            parts = await cast(
                Awaitable[list[bytes]], self._redis.hvals(keys.replay_selection(number))
            )
        numbers = [each for part in parts for each in unpack_numbers(part)]
        return random.sample(numbers, min(sample, len(numbers)))

    async def pause(self, number: int, reason: str) -> RunState | None:
        """Holds a running run until it is started again."""
        return await self._to(number, RunState.PAUSED, reason, {})

    async def cancel(self, number: int, reason: str) -> RunState | None:
        """Ends a run: what it put on the queue goes on, the rest stays dead letters."""
        fields = {"ended_ms": await self._now_ms()}
        return await self._to(number, RunState.CANCELLED, reason, fields)

    @staticmethod
    def may(was: RunState | None, then: RunState) -> bool:
        """Whether a run in state `was` can be turned to `then`."""
        return was in _MAY[then]

    async def get(self, number: int) -> ReplayRun | None:
        found = await self._read([number])
        return found[0] if found else None

    async def newest(self, limit: int) -> list[ReplayRun]:
        """The newest runs first."""
        with store_faults():
            numbers = await self._redis.zrevrange(keys.REPLAYS, 0, limit - 1)
        return await self._read([int(number) for number in numbers])

    async def _read(self, numbers: Sequence[int]) -> list[ReplayRun]:
        with store_faults():
            async with self._redis.pipeline(transaction=False) as pipe:
                for number in numbers:
                    pipe.hgetall(keys.replay_run(number))
                found = await pipe.execute()
        # One that lacks its state was deleted under a batch that still named it.
        pairs = zip(numbers, found, strict=True)
        return [read_run(number, fields) for number, fields in pairs if b"state" in fields]

    async def _to(
        self, number: int, state: RunState, reason: str, fields: Mapping[str, Any]
    ) -> RunState | None:
        was = await self._turn(
            [
                keys.replay_run(number),
                keys.REPLAYS_ACTIVE,
                keys.replay_selection(number),
                keys.replay_places(number),
            ],
            [number, str(state), reason, "".join(f"{may} " for may in _MAY[state])]
            + [x for pair in fields.items() for x in pair],
        )
        return RunState(str(was, "ascii")) if was else None

    async def _now_ms(self) -> int:
        with store_faults():
            seconds, micros = await cast(Awaitable[tuple[int, int]], self._redis.time())
        return int(seconds) * 1000 + int(micros) // 1000


@dataclass(slots=True)
class _Writing:
    """A selection on its way to Redis, part by part; each is of one connection."""

    runs: ReplayRuns
    number: int
    parts: int = 0
    connection: str = ""
    letters: list[tuple[int, int]] = field(default_factory=list)

    async def add(self, letter: DeadLetterSummary) -> None:
        if letter.connection != self.connection or len(self.letters) == _PART:
            await self.finish()
        self.connection = letter.connection
        self.letters.append((letter.hour, letter.number))

    async def finish(self) -> None:
        """Writes what is not written yet, by hour: letters of one hour are one batch."""
        if not self.letters:
            return
        packed = pack_numbers([number for _, number in sorted(self.letters)])
        name = f"{self.parts}:{self.connection}"
        await self.runs.keep_freezing(self.number, name, packed, len(self.letters))
        self.letters, self.parts = [], self.parts + 1
