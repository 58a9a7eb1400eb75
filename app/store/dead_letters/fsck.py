"""Is the dead letter store whole? Finds orphans of every kind, and mends what can be mended.

Each step is a script over a small part, so work goes on meanwhile; what a step finds is true at
that moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, cast

from app.core.dead_letter import DeadLetter, DeadLetterSummary, decode_letter, encode_letter
from app.core.dead_letter.codec import decode_where
from app.core.errors import UnreadableFrame
from app.core.event import peek_event
from app.core.outcome import Failure
from app.store import keys
from app.store.dead_letters.adopting import OldLetters
from app.store.dead_letters.files import SpillFiles, name_of
from app.store.dead_letters.letters import DeadLetters
from app.store.dead_letters.writing import person_key
from app.store.faults import store_faults
from app.store.scripting import Script, Store

_SCAN: Final = 1_000
_UNFINISHED_SECONDS: Final = 3_600
_WORDS: Final = {
    "payload": "its payload is gone: nothing is left to replay; discard it when it is understood",
    "index": "it was missing from an index",
    "tokens": "its event or its person could not be searched for",
    "summary": "its summary cannot be read",
}
_COUNTED: Final = ("n:", "k:", "g:", "v:")

Progress = Callable[[str, int], None]


class Finding(NamedTuple):
    """`what`: letter, orphan, count, old or file; `where`: a number, key, field or name."""

    what: str
    where: str
    detail: str
    mended: bool


@dataclass(slots=True)
class Fsck:
    """One look. `mend`: put right what is found. `progress`: is told what was looked at."""

    redis: Store
    mend: bool = False
    progress: Progress = lambda _what, _done: None
    _scripts: dict[str, Script] = field(default_factory=dict, init=False)

    async def run(self) -> AsyncIterator[Finding]:
        """Everything that is wrong. Raises StoreUnavailable."""
        steps = (self._old, self._letters, self._payloads, self._sets, self._counts, self._spilled)
        for step in steps:
            async for finding in step():
                yield finding

    async def _old(self) -> AsyncIterator[Finding]:
        old = OldLetters(self.redis)
        for name in await DeadLetters(self.redis).connections():
            if self.mend and (count := await old.adopt(name)):
                yield Finding("old", name, f"{count} letters of an earlier release", True)
            with store_faults():
                left = int(await self.redis.zcard(keys.old_dead_index(name)))
            if left:
                detail = f"{left} letters of an earlier release are not in the indexes"
                if self.mend:
                    detail += ", and cannot be read"
                yield Finding("old", name, detail, False)

    async def _letters(self) -> AsyncIterator[Finding]:
        done = 0
        async for key in self._scan(f"{keys.DEAD}s:*"):
            bucket = key.rpartition(":")[2]
            looked, found = await self._call("dead_check", [keys.DEAD], [bucket, int(self.mend)])
            done += int(looked)
            self.progress("letters", done)
            for number, fault in found:
                word = str(fault, "ascii")
                if word == "summary":
                    continue  # the next step's
                mended = self.mend and word != "payload"
                yield Finding("letter", str(int(number)), _WORDS[word], mended)

    async def _payloads(self) -> AsyncIterator[Finding]:
        cursor, done = 0, 0
        while True:
            with store_faults():
                cursor, entries = await self.redis.hscan(keys.DEAD_PAYLOADS, cursor, count=_SCAN)
            done += len(entries)
            self.progress("payloads", done)
            for number, payload in await self._without_summary(entries):
                yield await self._restore(number, payload)
            if not cursor:
                return

    async def _without_summary(self, entries: dict[bytes, bytes]) -> list[tuple[int, bytes]]:
        payloads = {int(number): payload for number, payload in entries.items()}
        whole = {each.number for each in await DeadLetters(self.redis).summaries(list(payloads))}
        missing = sorted(payloads.keys() - whole)
        if not missing:
            return []
        fields = [str(number) for number in missing]
        with store_faults():
            old = await cast(
                Awaitable[list[bytes | None]], self.redis.hmget(keys.OLD_DEAD_SUMMARIES, fields)
            )
        return [(n, payloads[n]) for n, summary in zip(missing, old, strict=True) if not summary]

    async def _restore(self, number: int, payload: bytes) -> Finding:
        """Makes a summary anew of what the payload says."""
        where, detail = str(number), "it has a payload, but no summary that can be read"
        try:
            letter = _remade(number, payload)
        except UnreadableFrame:
            return Finding("orphan", where, f"{detail}, and its payload says too little", False)
        if not self.mend:
            return Finding("orphan", where, detail, False)
        encoded = encode_letter(letter, await person_key(self.redis))
        args = [number, encoded.summary, encoded.cause]
        mended = bool(await self._call("dead_restore", [keys.DEAD], args))
        return Finding("orphan", where, detail, mended)

    async def _sets(self) -> AsyncIterator[Finding]:
        done = 0
        async for key in self._scan(f"{keys.DEAD}i:*"):
            block = key.rpartition(":")[2]
            orphans = await self._call("dead_check_set", [keys.DEAD, key], [block, int(self.mend)])
            done += 1
            self.progress("index sets", done)
            for number in orphans:
                yield Finding("orphan", f"{key} {int(number)}", "names no such letter", self.mend)

    async def _counts(self) -> AsyncIterator[Finding]:
        with store_faults():
            names = await self.redis.zrange(keys.DEAD_GROUPS_LAST, 0, -1)
            kept = await cast(Awaitable[list[bytes]], self.redis.hkeys(keys.DEAD_COUNTS))
        connections = {*await DeadLetters(self.redis).connections(), *map(_text, kept)}
        for done, connection in enumerate(sorted(connections), 1):
            self.progress("connections", done)
            async for finding in self._recount("", connection, connection):
                yield finding
        for done, mark in enumerate(map(_text, names), 1):
            self.progress("groups", done)
            with store_faults():
                fields = await cast(Awaitable[list[bytes]], self.redis.hkeys(keys.dead_group(mark)))
            counted = [name for name in map(_text, fields) if _is_count(name)]
            for name in ["live", *counted]:
                async for finding in self._recount(mark, name, f"group {mark} {name}"):
                    yield finding

    async def _spilled(self) -> AsyncIterator[Finding]:
        with store_faults():
            kept = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.DEAD_FILES))
        files = SpillFiles(self.redis.data_dir)
        there = await asyncio.to_thread(lambda: dict(files.there()))
        counts = {int(name): int(count) for name, count in kept.items()}
        for file, count in sorted(counts.items()):
            if count > 0 and file not in there:
                detail = f"{count} letters were spilled to it, and it is not in this data folder"
                yield Finding("file", name_of(file), detail, False)
        for file in sorted(there.keys() - counts.keys()):
            # One that is being written now is referred to in a moment.
            if time.time() - there[file].stat().st_mtime > _UNFINISHED_SECONDS:
                mended = self.mend and await asyncio.to_thread(files.remove, file)
                yield Finding("file", name_of(file), "no letter was spilled to it", mended)

    async def _recount(self, mark: str, name: str, where: str) -> AsyncIterator[Finding]:
        kept, counted = await self._call("dead_recount", [keys.DEAD], [mark, name, int(self.mend)])
        if kept != counted:
            yield Finding("count", where, f"{kept} kept, {counted} counted", self.mend)

    async def _scan(self, pattern: str) -> AsyncIterator[str]:
        cursor = 0
        while True:
            with store_faults():
                cursor, names = await self.redis.scan(cursor, match=pattern, count=_SCAN)
            for name in names:
                yield _text(name)
            if not cursor:
                return

    async def _call(self, name: str, names: list[str], args: list[Any]) -> Any:
        script = self._scripts.setdefault(name, Script(self.redis, name))
        return await script(names, args)


def _remade(number: int, payload: bytes) -> DeadLetter:
    connection, hour, received_ms = decode_where(payload)
    letter = decode_letter(_UNKNOWN, payload)
    event_id, kind = peek_event(letter.original)
    died_ms = max([received_ms, *(run.last_ms for run in letter.history)])
    summary = DeadLetterSummary(
        number, connection, hour, "store", Failure.INTERNAL.value, "summary_lost", "",
        "why it died was lost; the event is whole", "", kind, event_id, received_ms, died_ms,
    )  # fmt: skip
    return replace(letter, summary=summary)


_UNKNOWN: Final = DeadLetterSummary(0, "", 0, "", "", "", "", "", "", "", "", 0, 0)


def _is_count(name: str) -> bool:
    return name.startswith(_COUNTED) and not name.endswith(":*")


def _text(name: bytes) -> str:
    return str(name, "utf-8", "surrogateescape")
