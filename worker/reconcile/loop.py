"""When to look at Platform, and what is said of it: a line per change of state, never per look.

Every worker has this loop; a lease in Redis lets one of them look at a time, per connection. What
goes wrong waits for the next turn: nothing here ends a worker or holds a delivery back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog

from app.adobe.ims import Credential, TokenClient
from app.adobe.token_keeper import TokenKeeper
from app.core.errors import (
    CredentialsRefused,
    PlatformFault,
    SluiceError,
    StoreUnavailable,
    TokenUnavailable,
)
from app.core.landing import Patience, Verdict
from app.settings import Connection
from app.store.connect import Store
from app.store.lake import RETENTION_HOURS, Begun, Lake
from app.store.lanes import Lanes
from app.store.refusals import Refusals
from worker.ending import end
from worker.metrics import Metrics
from worker.reconcile.burying import Bodies, Burying, Found
from worker.reconcile.look import Look
from worker.reconcile.platform import Platform, platform_of

log = structlog.get_logger()

LEASE_MS: Final = 120_000
# Whether a look is due is asked this often, or more often where looks are.
_ASK_SECONDS: Final = 15.0
_HOUR_SECONDS: Final = 3_600
_CAUSES_MAX: Final = 20


class NotOurs(SluiceError):
    """The lease ran out, and another worker looks now."""


@dataclass(slots=True)
class Reconciler:
    """Looks at the Platform of one connection."""

    connection: Connection
    platform: Platform
    redis: Store
    owner: str
    metrics: Metrics
    archive: Bodies | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def patience(self) -> Patience:
        given = self.connection.reconcile
        return Patience(given.late_after_seconds, given.missing_after_seconds)

    async def run(self) -> None:
        """For ever. Raises nothing but CancelledError."""
        interval = self.connection.reconcile.interval_seconds
        shown = 0.0
        while True:
            try:
                looked = await self.turn()
                shown = 0.0 if looked else shown + min(interval, _ASK_SECONDS)
                if shown >= interval:
                    # Another worker looks; its gauges are ours, too.
                    shown = 0.0
                    await self._show()
            except StoreUnavailable:
                pass  # said elsewhere, and often enough
            except Exception:  # a bug of ours, which must not become the worker's
                log.exception("reconcile.bug", connection=self.name)
            await self.sleep(min(interval, _ASK_SECONDS))

    async def turn(self) -> bool:
        """Looks, if a look is due and ours. Raises StoreUnavailable and bugs."""
        lake = Lake(self.redis, self.owner)
        interval_ms = int(self.connection.reconcile.interval_seconds * 1000)
        begun = await lake.begin(self.name, interval_ms, LEASE_MS)
        if begun is None:
            return False
        burying = Burying(Refusals(self.redis, self.name), self.archive, begun.now_ms)
        try:
            await self._look(lake, burying, begun)
        except asyncio.CancelledError:
            # A graceful stop: nobody shall wait for the lease of a worker that is gone.
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(asyncio.ensure_future(lake.leave(self.name)))
            raise
        except NotOurs:
            log.warning("reconcile.lease_lost", connection=self.name)
        except (PlatformFault, CredentialsRefused, TokenUnavailable) as fault:
            await self._failed(lake, fault)
        else:
            await self._done(lake, begun)
        finally:
            self._tell_of(burying.found)
        await self._show(tell=True)
        return True

    async def _look(self, lake: Lake, burying: Burying, begun: Begun) -> None:
        async def keep() -> None:
            if not await lake.keep(self.name, LEASE_MS):
                raise NotOurs

        look_back_ms = int(self.connection.reconcile.look_back_seconds * 1000)
        first = await self._first_hour(lake, begun, look_back_ms)
        look = Look(self.name, self.platform, lake, burying, begun, first, look_back_ms, keep)
        await look.run()

    async def _first_hour(self, lake: Lake, begun: Begun, look_back_ms: int) -> int:
        """Where to begin with the runs: before the last look, or where the columns do not meet."""
        hour_ms = _HOUR_SECONDS * 1000
        back = (min(begun.seen_ms or begun.now_ms, begun.now_ms) - look_back_ms) // hour_ms
        standing = await lake.read(self.name)
        judged = standing.judged(begun.now_ms / 1000, self.patience)
        unmet = [
            hour
            for hour, said in judged.items()
            if said.verdict not in (Verdict.MEETS, Verdict.MORE)
        ]
        # A neighbour may hold what is missing.
        return max(begun.now_ms // hour_ms - RETENTION_HOURS, min([back, *(h - 1 for h in unmet)]))

    async def _failed(self, lake: Lake, fault: SluiceError) -> None:
        ended = await lake.failed(self.name, str(fault))
        if ended is not None and (ended.changed or ended.error_before != str(fault)):
            log.warning("reconcile.failed", connection=self.name, reason=str(fault))

    async def _done(self, lake: Lake, begun: Begun) -> None:
        ended = await lake.done(self.name, begun.now_ms)
        if ended is not None and ended.changed:
            log.info("reconcile.well", connection=self.name, was=ended.error_before)

    async def _show(self, *, tell: bool = False) -> None:
        """Sets the gauges; says so when the verdict over all is another than before."""
        lake = Lake(self.redis)
        seconds, standing = await lake.now(), await lake.read(self.name)
        now = standing.overall(seconds, self.patience)
        self.metrics.stands(self.name, standing, standing.judged(seconds, self.patience), now)
        if not tell:
            return
        before = await lake.remember(self.name, now.verdict.value)
        if before == now.verdict.value:
            return
        if now.verdict.alarming:
            log.error("reconcile.short", connection=self.name, verdict=now.words)
        elif now.verdict in (Verdict.LATE, Verdict.MORE):
            log.warning(f"reconcile.{now.verdict.value}", connection=self.name, verdict=now.words)
        elif before and (Verdict(before).alarming or before in (Verdict.LATE, Verdict.MORE)):
            log.info("reconcile.meets", connection=self.name, verdict=now.words, was=before)

    def _tell_of(self, found: Found) -> None:
        """What was found: a line per cause, never per event, and no value of one."""
        for outcome in ("buried", "foreign", "nameless", "copies", "again"):
            if count := getattr(found, outcome):
                self.metrics.refused_later.labels(self.name, outcome).inc(count)
        for (code, text), times in found.causes.most_common(_CAUSES_MAX):
            log.warning(
                "events.refused_later", connection=self.name, code=code, reason=text, times=times
            )
        if found.foreign or found.nameless:
            log.warning(
                "reconcile.foreign",
                connection=self.name,
                foreign=found.foreign,
                nameless=found.nameless,
                reason="failed records in the dataset that Sluice did not send, or that name no id",
            )


@contextlib.asynccontextmanager
async def open_reconciler(
    connections: Mapping[str, Connection],
    redis: Store,
    owner: str,
    metrics: Metrics,
    archive: Bodies | None,
) -> AsyncIterator[None]:
    """Looks at the Platforms of all connections that are to be reconciled, until it is closed."""
    async with contextlib.AsyncExitStack() as stack:
        tasks = []
        for connection in connections.values():
            if not connection.reconciles:
                continue
            # Connections of its own: a slow catalog never waits in a lane's way.
            session = await stack.enter_async_context(
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            )
            tokens = _tokens(connection, session, redis)
            stack.push_async_callback(tokens.close)
            platform = platform_of(connection, session, tokens)
            reconciler = Reconciler(connection, platform, redis, owner, metrics, archive)
            task = asyncio.create_task(reconciler.run(), name=f"reconcile {connection.name}")
            tasks.append(task)
        try:
            yield
        finally:
            await end(tasks)


def _tokens(connection: Connection, session: aiohttp.ClientSession, redis: Store) -> TokenKeeper:
    given = connection.platform.credentials
    assert given is not None  # Connection.reconciles
    secrets = tuple(secret.decode() for secret in given.client_secrets)
    credential = Credential(given.client_id, secrets, given.scopes, given.ims_url)
    return TokenKeeper(TokenClient(session, credential), Lanes(redis))
