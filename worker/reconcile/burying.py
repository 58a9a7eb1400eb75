"""The lines of a failed file, tied to their events and buried, a page at a time.

A page and the file's mark are written in one step (scripts/bury.lua). Whatever kills the worker,
the next look goes on behind the last page, and no line is buried twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from app.core.batch import AttemptRun, add_attempt
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.errors import PlatformFault
from app.core.event import peek_event
from app.core.outcome import Failure, Verdict
from app.core.platform import FailedRecord, normalise, read_failed_line
from app.core.replay import REPLAYED, times_replayed
from app.store.arrivals import made_ms
from app.store.refusals import Counts, Grave, Known, Mark, Refusals, State, take_from
from worker.archive import Kept

log = structlog.get_logger()

PAGE_LINES: Final = 100

STAGE: Final = "lake"

_HOUR_MS: Final = 3_600_000
# A row's last delivered events may go elsewhere between our look and our writing.
_TRIES: Final = 3


class Bodies(Protocol):
    """worker.archive.ArchiveFinder, as far as burying is concerned."""

    async def find(
        self, connection: str, ids: Sequence[str], first_hour: int, last_hour: int
    ) -> dict[str, Kept]: ...


@dataclass(slots=True)
class Found:
    """What the lines of a look came to. `causes`: (code, normalised text) -> letters."""

    buried: int = 0
    foreign: int = 0
    nameless: int = 0
    copies: int = 0
    again: int = 0
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Page:
    """Lines read, up to the first whose event is being worked on right now."""

    lines: int
    buried: list[tuple[FailedRecord, Known]]
    counts: Counts
    busy: bool


class Burying:
    """Buries for one connection during one look. `now_ms`: Redis' time of its beginning."""

    def __init__(self, refusals: Refusals, archive: Bodies | None, now_ms: int) -> None:
        self._refusals = refusals
        self._archive = archive
        self._now_ms = now_ms
        self.found = Found()

    async def mark(self, created_ms: int, file: str) -> Mark:
        """How far a file was worked through."""
        return await self._refusals.mark(created_ms, file)

    async def work(
        self,
        created_ms: int,
        file: str,
        length: int | None,
        mark: Mark,
        lines: AsyncIterator[bytes],
    ) -> AsyncGenerator[None, None]:
        """Goes on behind the mark; yields after each page, so that the caller can breathe.

        Stops early at an event that is being worked on: the next look goes on there.
        """
        skip, page = mark.lines, list[bytes]()
        try:
            async for line in lines:
                if skip:
                    skip -= 1
                    continue
                page.append(line)
                if len(page) == PAGE_LINES:
                    mark, whole = await self._bury(created_ms, file, mark, page, -1)
                    page = []
                    yield
                    if not whole:
                        return
        except PlatformFault:
            # What came is whole; the next look goes on behind it.
            if page:
                await self._bury(created_ms, file, mark, page, -1)
            raise
        whole_length = -1 if length is None else length
        if page or mark.length != whole_length:
            await self._bury(created_ms, file, mark, page, whole_length)

    async def _bury(
        self, created_ms: int, file: str, before: Mark, lines: Sequence[bytes], length: int
    ) -> tuple[Mark, bool]:
        """Buries a page; (the new mark, whether the file may be gone on with)."""
        page = await self._judged(lines)
        after = Mark("", before.lines + page.lines, -1 if page.busy else length)
        after = after._replace(text=f"{after.lines} {after.length}")
        if after == before:
            return after, not page.busy
        spent: set[int] = set()
        counts = page.counts
        for _ in range(_TRIES):
            graves, lost = await self._graves(page, created_ms, spent)
            counts = page.counts._replace(foreign=page.counts.foreign + lost)
            answer = await self._refusals.bury(created_ms, file, before, after, graves, counts)
            if answer is None:
                # Somebody else works on this file, since our lease ran out.
                return before, False
            if isinstance(answer, list):
                self._tally(graves, answer, counts)
                return after, not page.busy
            spent.add(answer)
        return before, False

    async def _judged(self, lines: Sequence[bytes]) -> _Page:
        records = [read_failed_line(line) for line in lines]
        named = [record for record in records if record.event_id]
        answers = await self._refusals.known([(r.event_id, r.timestamp) for r in named])
        known = dict(zip(map(id, named), answers, strict=True))
        buried: list[tuple[FailedRecord, Known]] = []
        tally: Counter[str] = Counter()
        for at, record in enumerate(records):
            found = known.get(id(record))
            if found is None:
                tally["nameless"] += 1
            elif found.state is State.BUSY:
                return _Page(at, buried, Counts(**tally), True)
            elif found.state is not State.DELIVERED:
                tally[found.state.value] += 1
            elif found.claim == found.refused:
                tally["copies"] += 1
            else:
                buried.append((record, found))
        return _Page(len(records), buried, Counts(**tally), False)

    async def _graves(
        self, page: _Page, created_ms: int, spent: set[int]
    ) -> tuple[list[Grave], int]:
        """The letters of a page; and how many found no ledger row that has them as delivered."""
        bodies = await self._bodies(page, created_ms)
        rows: Counter[int] = Counter()
        graves, lost = [], 0
        for record, known in page.buried:
            kept = bodies.get(record.event_id)
            hour = await self._hour(record, known, kept, rows, spent)
            if hour is None:
                lost += 1
            else:
                graves.append(self._grave(record, known, kept, hour))
        return graves, lost

    async def _bodies(self, page: _Page, created_ms: int) -> dict[str, Kept]:
        wanted = [(r.event_id, r.timestamp) for r, _ in page.buried if not r.body]
        if self._archive is None or not wanted:
            return {}
        first = min(made_ms(*each) for each in wanted) // _HOUR_MS - 1
        last = max(created_ms, self._now_ms) // _HOUR_MS + 1
        ids = [event_id for event_id, _ in wanted]
        return await self._archive.find(self._refusals.connection, ids, first, last)

    async def _hour(
        self,
        record: FailedRecord,
        known: Known,
        kept: Kept | None,
        rows: Counter[int],
        spent: set[int],
    ) -> int | None:
        """The ledger row that has the event as delivered: as the trace says, or the archive, or
        else the likeliest by the event's own time that has any."""
        sure = [known.trace.hour] if known.trace is not None and known.trace.hour else []
        sure += [kept.received_ms // _HOUR_MS] if kept is not None else []
        for hour in sure:
            if hour not in spent:
                delivered = await self._refusals.delivered_in(hour)
                if take_from(rows, hour, delivered):
                    return hour
        async for hour, delivered in self._refusals.hours_near(record.event_id, record.timestamp):
            if hour not in spent and take_from(rows, hour, delivered):
                return hour
        return None

    def _grave(self, record: FailedRecord, known: Known, kept: Kept | None, hour: int) -> Grave:
        problem, trace = record.problem, known.trace
        body = kept.body if kept is not None else record.body
        received_ms = made_ms(record.event_id, record.timestamp)
        if kept is not None or trace is not None:
            received_ms = kept.received_ms if kept is not None else trace.received_ms  # type: ignore[union-attr]  # one of them is there
        history = self._history(known)
        summary = DeadLetterSummary(
            0, self._refusals.connection, hour, STAGE, Failure.REFUSED_LATER.value,
            problem.code, problem.path, problem.message, "",
            peek_event(body)[1] if body else "", record.event_id,
            received_ms, self._now_ms, trace.mapping if trace is not None else "",
            replays=times_replayed(history),
        )  # fmt: skip
        death = _run(self._now_ms, Failure.REFUSED_LATER.value, 0, problem.code, problem.message)
        letter = DeadLetter(summary, body, record.record, history)
        return Grave(letter, known.claim, record.timestamp, (*history, death))

    def _history(self, known: Known) -> tuple[AttemptRun, ...]:
        """What is known: earlier refusals, and the delivery that this one is about."""
        history = known.past
        sent = (
            [r for r in known.trace.requests if r.verdict == Verdict.DELIVERED.value]
            if (known.trace)
            else []
        )
        at_ms = sent[-1].at_ms if sent else self._now_ms
        if history:
            history = add_attempt(history, _run(at_ms, REPLAYED))
        if sent:
            last = sent[-1]
            delivered = _run(at_ms, "", last.status)._replace(receipt=last.receipt)
            history = add_attempt(history, delivered)
        return history

    def _tally(self, graves: Sequence[Grave], numbers: Sequence[int], counts: Counts) -> None:
        found = self.found
        found.foreign += counts.foreign
        found.nameless += counts.nameless
        found.again += counts.again
        found.copies += counts.copies
        for grave, number in zip(graves, numbers, strict=True):
            if number:
                found.buried += 1
                summary = grave.letter.summary
                found.causes[summary.code, normalise(summary.detail)] += 1
            else:
                found.copies += 1


def _run(ms: int, failure: str, status: int = 0, code: str = "", message: str = "") -> AttemptRun:
    return AttemptRun(ms, ms, 1, failure, status, code, message, "")
