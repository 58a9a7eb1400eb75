"""When to refuse everything: Redis is away, over its memory budget, or the backlog is too long.

A shed webhook is answered without touching Redis. Well before Redis is full, because then no arq
job could start and nothing would ever drain (design.md section 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.web.config import ReceiverConfig
from app.web.fault_log import FaultLog

log = structlog.get_logger(__name__)

# Once over a bound, it must be undercut by so much: no flapping.
_RELIEF: Final = 0.95


class Pressure(Protocol):
    """How full the store is. `memory_limit` 0: none is set. Bytes and events."""

    @property
    def memory_used(self) -> int: ...

    @property
    def memory_limit(self) -> int: ...

    @property
    def backlog_events(self) -> int: ...


class PressureStore(Protocol):
    async def pressure(self) -> Pressure:
        """Raises StoreUnavailable."""


class Shedding:
    """`reason` says why everything is refused, or is empty.

    A failed commit sheds at once. After it a good poll only lets webhooks try again: it is the next
    confirmed commit that ends the trouble, because a read-only or full Redis answers polls gladly.
    """

    def __init__(
        self,
        store: PressureStore,
        config: ReceiverConfig,
        faults: FaultLog,
        changed: Callable[[str], None],
    ) -> None:
        self.reason = ""
        self._store = store
        self._config = config
        self._faults = faults
        self._changed = changed
        self._commit_trouble = ""
        self._said = ""
        self._poll_now = asyncio.Event()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.poll()
            self._poll_now.clear()
            try:
                async with asyncio.timeout(self._config.pressure_interval_seconds):
                    await self._poll_now.wait()
            except TimeoutError:
                continue
            # A commit failed just now: give Redis a moment, but not a whole interval.
            await asyncio.sleep(self._config.pressure_interval_seconds / 5)

    async def poll(self) -> None:
        """Ask the store once, and decide."""
        try:
            async with asyncio.timeout(self._config.pressure_timeout_seconds):
                pressure = await self._store.pressure()
        except StoreUnavailable as fault:
            self._decide(fault.reason)
        except TimeoutError:
            self._decide("slow")
        except Exception as fault:
            self._faults.report(fault)
            self._decide("internal")
        else:
            self._decide(self._over(pressure), pressure)

    def commit_confirmed(self) -> None:
        if self._commit_trouble:
            self._commit_trouble = ""
            self._say()

    def commit_failed(self, reason: str) -> None:
        self._commit_trouble = reason
        self._poll_now.set()
        if not self.reason:
            self.reason = reason
            self._changed(reason)
            self._say()

    def _over(self, pressure: Pressure) -> str:
        memory_bound = pressure.memory_limit * self._config.memory_share
        if memory_bound and pressure.memory_used > memory_bound * self._relief("memory"):
            return "memory"
        backlog_bound = self._config.backlog_max_events * self._relief("backlog")
        return "backlog" if pressure.backlog_events > backlog_bound else ""

    def _relief(self, bound: str) -> float:
        return _RELIEF if self.reason == bound else 1.0

    def _decide(self, reason: str, pressure: Pressure | None = None) -> None:
        if reason == self.reason:
            return
        self.reason = reason
        self._changed(reason)
        self._say(pressure)

    def _say(self, pressure: Pressure | None = None) -> None:
        """One line per change of state; a pause between failing commits is none."""
        state = self.reason or self._commit_trouble
        if state == self._said:
            return
        if state:
            numbers = {} if pressure is None else _numbers(pressure)
            log.warning("shedding.started", reason=state, **numbers)
        else:
            log.info("shedding.ended", reason=self._said)
        self._said = state


def _numbers(pressure: Pressure) -> dict[str, int]:
    return {
        "memory_used": pressure.memory_used,
        "memory_limit": pressure.memory_limit,
        "backlog_events": pressure.backlog_events,
    }
