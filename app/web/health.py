"""/healthz: the process runs. /readyz: it can take webhooks, as far as Redis says."""

from __future__ import annotations

import asyncio
from typing import Protocol

from app.core.errors import StoreUnavailable
from app.web.config import ReceiverConfig
from app.web.fault_log import FaultLog


class PingStore(Protocol):
    async def ping(self) -> None:
        """Raises StoreUnavailable."""


class Readiness:
    """Asks Redis at most once per `ping_cache_seconds`, however many ask us."""

    def __init__(self, store: PingStore, config: ReceiverConfig, faults: FaultLog) -> None:
        self.stopping = False
        self._store = store
        self._config = config
        self._faults = faults
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._reached = False

    async def ready(self) -> bool:
        if self.stopping:
            return False
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() - self._asked_at > self._config.ping_cache_seconds:
                self._reached = await self._ping()
                self._asked_at = loop.time()
        return self._reached and not self.stopping

    async def _ping(self) -> bool:
        try:
            async with asyncio.timeout(self._config.ping_timeout_seconds):
                await self._store.ping()
        except (StoreUnavailable, TimeoutError):
            return False
        except Exception as fault:
            self._faults.report(fault)
            return False
        return True
