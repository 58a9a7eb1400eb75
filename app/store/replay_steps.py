"""A replay run as the worker that works on it sees it: looked after, and worked off step by step.

Each step is one script that puts letters on the queue, takes them from the dead and moves the run's
place: exactly once, whoever is killed when. Every method raises StoreUnavailable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

from app.core.dead_letter import DeadLetter
from app.core.replay import by_row, replay_frame
from app.core.replay_run import ReplayRun, read_run
from app.core.selection import unpack_numbers
from app.store import keys
from app.store.dead_letters import DeadLetters
from app.store.faults import store_faults
from app.store.scripting import Script, Store

LEASE_MS: Final = 5_000
# What a worker was too busy to put in time it may make up for, as far as this.
_CATCH_UP_MS: Final = 500
# A step's bodies in memory, and in one call to Redis; letters are read so many at a time until
# then.
_STEP_BYTES: Final = 1_000_000
_READ: Final = 50


class Sight(StrEnum):
    """What a look found; scripts/run_look.lua tells what each means."""

    GONE = "gone"
    OTHER = "other"
    ABANDONED = "abandoned"
    STOPPED = "stopped"
    FINISHED = "finished"
    TAKEN = "taken"
    MINE = "mine"


class Part(NamedTuple):
    """A part of a selection that is not done. `place`: how many of its letters are."""

    name: str
    connection: str
    place: int


@dataclass(frozen=True, slots=True)
class Look:
    """`parts`: what is left, the oldest letters first."""

    sight: Sight
    run: ReplayRun | None = None
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did. `wait_ms`: nothing, the rate allows the next one only then; `moved`:
    nothing, the run is not ours any more, or not where we thought it was."""

    batch_ids: Sequence[str] = ()
    put: int = 0
    gone: int = 0
    kept: int = 0
    wait_ms: int = 0
    moved: bool = False


class Sorted(NamedTuple):
    """Letters as a run's recipe made them, to be put, and how many stay dead as they are, by why:
    a few words that name no value of an event."""

    letters: list[DeadLetter]
    kept: Mapping[str, int] = Counter()


Sorter = Callable[[Sequence[DeadLetter]], Awaitable[Sorted]]


@dataclass(slots=True)
class ReplaySteps:
    """All runs, for one worker. `owner`: who holds the leases."""

    redis: Store
    owner: str
    lease_ms: int = LEASE_MS
    _letters: DeadLetters = field(init=False)
    _look: Script = field(init=False)
    _step: Script = field(init=False)

    def __post_init__(self) -> None:
        self._letters = DeadLetters(self.redis)
        self._look = Script(self.redis, "run_look")
        self._step = Script(self.redis, "run_step")

    async def active(self) -> list[int]:
        """Numbers of the runs that somebody must look after."""
        with store_faults():
            found = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.REPLAYS_ACTIVE))
        return sorted(int(number) for number in found)

    async def look(self, number: int) -> Look:
        """Takes or keeps the lease of a run, stops it at its bound, ends it when all is settled."""
        sight, fields, names, places = await self._look(
            [
                keys.replay_run(number),
                keys.REPLAYS_ACTIVE,
                keys.replay_selection(number),
                keys.replay_places(number),
            ],
            [self.owner, self.lease_ms, number],
        )
        run = dict(zip(fields[::2], fields[1::2], strict=True))
        done = dict(zip(places[::2], places[1::2], strict=True))
        return Look(
            Sight(str(sight, "ascii")),
            read_run(number, run) if b"state" in run else None,
            sorted((_part(name, done) for name in names), key=_index, reverse=True),
        )

    async def hold(self, number: int, why: str) -> None:
        """Tells why a run of ours waits."""
        with store_faults():
            await cast(Awaitable[int], self.redis.hset(keys.replay_run(number), "holding", why))

    async def saturated(self, connection: str) -> bool:
        """Whether batches wait because their lane has no room."""
        with store_faults():
            return bool(await self.redis.zcard(keys.waiting(connection)))

    async def step(
        self, run: ReplayRun, part: Part, most: int, now_ms: int, sorter: Sorter | None = None
    ) -> Step:
        """Puts up to `most` letters of a part on the queue; of a run with a recipe, as `sorter`
        makes them, and without those it keeps."""
        numbers = await self._selected(run, part)
        if numbers is None:
            return Step(moved=True)
        letters, seen = await self._read(numbers[part.place : part.place + most])
        after = part.place + seen
        kept: Mapping[str, int] = {}
        if sorter is not None:
            letters, kept = await sorter(letters)
        while True:
            answer = await self._step(
                self._keys(run, part),
                self._args(part, after, after == len(numbers))
                + _kept(kept)
                + _batches(letters, now_ms, run),
            )
            what = answer[0]
            if what == b"gone":
                gone = {int(number) for number in answer[1]}
                letters = [letter for letter in letters if letter.summary.number not in gone]
                continue
            if what == b"put":
                batch_ids = [str(name, "ascii") for name in answer[1]]
                stay = sum(kept.values())
                return Step(batch_ids, len(letters), seen - len(letters) - stay, stay)
            return Step(wait_ms=int(answer[1])) if what == b"early" else Step(moved=True)

    async def _selected(self, run: ReplayRun, part: Part) -> Sequence[int] | None:
        """The letters of a part; None when somebody else was through with it."""
        with store_faults():
            packed = await cast(
                Awaitable[bytes | None],
                self.redis.hget(keys.replay_selection(run.number), part.name),
            )
        return None if packed is None else unpack_numbers(packed)

    async def _read(self, numbers: Sequence[int]) -> tuple[list[DeadLetter], int]:
        """Letters that are still there, as many as are worth one step; of how many numbers."""
        letters: list[DeadLetter] = []
        size = seen = 0
        while seen < len(numbers) and size < _STEP_BYTES:
            page = numbers[seen : seen + _READ]
            found = await self._letters.get(page)
            seen += len(page)
            size += sum(len(letter.outgoing) for letter in found)
            letters += found
        return letters, seen

    def _keys(self, run: ReplayRun, part: Part) -> list[str]:
        return [
            keys.replay_run(run.number),
            keys.replay_selection(run.number),
            keys.replay_places(run.number),
            keys.OPEN_SET,
            keys.BATCH_NUMBER,
            keys.BACKLOG,
            keys.DEAD,
        ]

    def _args(self, part: Part, after: int, done: bool) -> list[Any]:
        return [
            self.owner,
            part.name,
            part.place,
            after,
            int(done),
            part.connection,
            keys.BATCH_PREFIX,
            keys.ledger_prefix(part.connection),
            _CATCH_UP_MS,
            self.lease_ms,
        ]


def _kept(why: Mapping[str, int]) -> list[Any]:
    return [sum(why.values()), len(why), *(part for pair in why.items() for part in pair)]


def _batches(letters: Sequence[DeadLetter], now_ms: int, run: ReplayRun) -> list[Any]:
    args: list[Any] = []
    for (_, hour), group in by_row(letters, lambda letter: letter.summary):
        numbers = [letter.summary.number for letter in group]
        frame = replay_frame(group, now_ms, run.number, run.recipe)
        args += [hour, frame, len(numbers), *numbers]
    return args


def _part(name: bytes, places: dict[bytes, bytes]) -> Part:
    text = str(name, "ascii")
    return Part(text, text.partition(":")[2], int(places.get(name, 0)))


def _index(part: Part) -> int:
    return int(part.name.partition(":")[0])
