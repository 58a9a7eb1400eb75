"""At a budget of bytes, the oldest dead letters go from Redis to files; nothing is dropped.

They stay in every index, so they are listed, found, shown and replayed as before. First the file is
on disk, then one script puts its place where the payload was: a crash between leaves a file that
nobody refers to, which fsck finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from app.core.dead_letter import (
    DeadLetter,
    decode_line,
    encode_line,
    encode_spilled,
    is_spilled,
)
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.dead_letters.files import SpillFiles, name_of
from app.store.dead_letters.letters import DeadLetters
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# Down to this share of the budget, so that not every letter makes a file.
_DOWN_TO: Final = 0.9
_FILE_LETTERS: Final = 8_192
_STEP: Final = 500


@dataclass(frozen=True, slots=True)
class SpillReport:
    """One file: its name, the letters now in it, and how many bytes payloads take after that."""

    file: str
    letters: int
    bytes_left: int


@dataclass(slots=True)
class Spilling:
    redis: Store
    max_bytes: int
    files: SpillFiles
    # Letters up to this number were looked at, and are spilled or gone.
    _behind: str = field(default="", init=False)
    _spill: Script = field(init=False)
    _unfile: Script = field(init=False)

    def __post_init__(self) -> None:
        self._spill = Script(self.redis, "dead_spill")
        self._unfile = Script(self.redis, "dead_unfile")

    async def bytes(self) -> int:
        """What payloads take now. Raises StoreUnavailable."""
        with store_faults():
            return int(await self.redis.get(keys.DEAD_BYTES) or 0)

    async def step(self) -> SpillReport | None:
        """Spills one file's worth, if the budget is exceeded and any letter is left to spill.

        Raises StoreUnavailable, and OSError when the file cannot be written.
        """
        if not self.max_bytes or (used := await self.bytes()) <= self.max_bytes:
            return None
        letters = await self._oldest(used - int(self.max_bytes * _DOWN_TO))
        if not letters:
            return None
        file = await self._next_file()
        places = await asyncio.to_thread(self.files.write, file, letters)
        done = 0
        for start in range(0, len(letters), _STEP):
            args: list[Any] = [file]
            part = zip(letters[start : start + _STEP], places[start : start + _STEP], strict=True)
            for letter, place in part:
                args += [letter.summary.number, encode_spilled(place)]
            done += int(await self._spill([keys.DEAD], args))
        self._behind = str(letters[-1].summary.number)
        return SpillReport(name_of(file), done, await self.bytes())

    async def tidy(self) -> list[str]:
        """Removes the files of this folder whose letters are all gone; their names.

        Raises StoreUnavailable, OSError.
        """
        with store_faults():
            counts = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.DEAD_FILES))
        removed = []
        for file in [int(name) for name, count in counts.items() if int(count) <= 0]:
            # One on another host's volume stays known until a worker there comes by.
            if await asyncio.to_thread(self.files.remove, file):
                removed.append(name_of(file))
                await self._unfile([keys.DEAD], [file])
        return removed

    async def _oldest(self, excess: int) -> list[DeadLetter]:
        """The oldest letters that are not spilled, as many as take `excess` bytes, if so many fit
        into a file."""
        letters = DeadLetters(self.redis)
        found: list[DeadLetter] = []
        cursor: str | None = self._behind
        while cursor is not None and excess > 0 and len(found) < _FILE_LETTERS:
            numbers, cursor = await letters.all_numbers(cursor, _STEP)
            sizes = await self._sizes(numbers)
            some = []
            for number in numbers:
                if excess > 0 and (size := sizes.get(number)):
                    some.append(number)
                    excess -= size
            # Edits stay in Redis: they may change, and a file does not.
            whole = [replace(letter, edit=None) for letter in await letters.get(some)]
            found += [letter for letter in whole if _survives(letter)]
        if not found and self._behind:
            # Letters that were restored have old numbers: look from the start the next time.
            self._behind = ""
        return found

    async def _sizes(self, numbers: list[int]) -> dict[int, int]:
        """Bytes of the payloads that are in Redis."""
        if not numbers:
            return {}
        with store_faults():
            found = await cast(
                Awaitable[list[bytes | None]],
                self.redis.hmget(keys.DEAD_PAYLOADS, [str(number) for number in numbers]),
            )
        return {
            number: len(payload)
            for number, payload in zip(numbers, found, strict=True)
            if payload is not None and not is_spilled(payload)
        }

    async def _next_file(self) -> int:
        with store_faults():
            file = int(await self.redis.incr(keys.DEAD_FILE_NUMBER))
        # A Redis that was restored from a backup counts anew, and a file is never written over.
        taken = await asyncio.to_thread(lambda: {number for number, _ in self.files.there()})
        if file in taken:
            file = max(taken) + 1
            with store_faults():
                await self.redis.set(keys.DEAD_FILE_NUMBER, file)
        return file


def _survives(letter: DeadLetter) -> bool:
    """Whether its line is read back as it was: else it stays in Redis."""
    try:
        return decode_line(encode_line(letter)) == letter
    except (UnreadableFrame, TypeError, ValueError):
        return False
