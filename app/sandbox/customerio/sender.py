"""Posting webhooks as one is told to: paced, side by side or one by one, tried again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp
from yarl import URL

from app.sandbox.customerio.backoff import quick_wait, vendor_wait, worth_another
from app.sandbox.customerio.post import Answer, post
from app.sandbox.customerio.tally import Tally
from app.sandbox.traffic import Shot, ShotKind


@dataclass(frozen=True, slots=True)
class Manner:
    """How to send. Times are seconds.

    `serial`: as Customer.io: one connection, each event waits for the one before, every answer but
    2xx is tried again after its back-off times `backoff_scale`. Else `concurrency` at once, and
    only no answer, 429 and 5xx are tried again. Either way for `patience_s` an event at most.
    """

    url: str
    key: bytes
    concurrency: int = 64
    serial: bool = False
    rate: float | None = None
    duration_s: float | None = None
    timeout_s: float = 4.0
    patience_s: float = 300.0
    backoff_scale: float = 0.001


async def send_all(
    shots: Iterator[Shot], manner: Manner, tally: Tally, done: Callable[[], None] = lambda: None
) -> None:
    """Send `shots` in order of their turn; `done` is called as each is settled."""
    width = 1 if manner.serial else manner.concurrency
    started = time.monotonic()
    connector = aiohttp.TCPConnector(limit=width)
    timeout = aiohttp.ClientTimeout(total=manner.timeout_s)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            sender = _Sender(manner, tally, session, done, started)
            async with asyncio.TaskGroup() as group:
                for _ in range(width):
                    group.create_task(sender.work(shots))
    finally:
        tally.seconds = time.monotonic() - started


class _Sender:
    def __init__(
        self,
        manner: Manner,
        tally: Tally,
        session: aiohttp.ClientSession,
        done: Callable[[], None],
        started: float,
    ) -> None:
        self._manner = manner
        self._tally = tally
        self._session = session
        self._url = URL(manner.url)
        self._done = done
        self._started = started
        self._turns = 0

    async def work(self, shots: Iterator[Shot]) -> None:
        """One of several: takes the next turn, and the next shot, until either is over."""
        while await self._turn():
            shot = next(shots, None)
            if shot is None:
                return
            self._tally.sent[shot.kind] += 1
            await self._deliver(shot)
            self._done()

    async def _turn(self) -> bool:
        manner = self._manner
        due = time.monotonic()
        if manner.rate is not None:
            due = max(due, self._started + self._turns / manner.rate)
        self._turns += 1
        if manner.duration_s is not None and due >= self._started + manner.duration_s:
            return False
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        return True

    async def _deliver(self, shot: Shot) -> None:
        """Try until there is a final answer or patience is over."""
        deadline = time.monotonic() + self._manner.patience_s
        tries = 0
        while True:
            tries += 1
            answer = await self._post(shot)
            self._tally.attempt(answer.status, answer.unclear)
            if answer.is_success:
                self._tally.acknowledge(shot, answer.seconds)
                return
            if self._is_final(shot, answer):
                self._tally.refuse(shot, answer.status)
                return
            wait = self._wait(tries, answer)
            if time.monotonic() + wait > deadline:
                self._tally.gave_up += 1
                return
            await asyncio.sleep(wait)

    def _is_final(self, shot: Shot, answer: Answer) -> bool:
        if self._manner.serial and shot.kind is not ShotKind.BAD_SIGNATURE:
            return False
        return not worth_another(answer.status)

    def _wait(self, tries: int, answer: Answer) -> float:
        if self._manner.serial:
            wait = vendor_wait(tries, answer.status, answer.error)
            return wait * self._manner.backoff_scale
        return quick_wait(tries, answer.retry_after)

    async def _post(self, shot: Shot) -> Answer:
        """Signed afresh on every try: the header says when the request was sent."""
        key = self._manner.key
        if shot.kind is ShotKind.BAD_SIGNATURE:
            key = b"not " + key
        return await post(self._session, self._url, key, shot.body, time.time())
