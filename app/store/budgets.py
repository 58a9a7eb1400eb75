"""How much may be sent: the limits that all workers, and all connections of an organization, share.

Platform's limits are an organization's (platform.md section 2.7). A worker leases small parts of
them, each good for half a second or less, so Redis is asked some times a second and not per
request, and what a dead worker had leased is free again as soon as that time is over.

Every method raises StoreUnavailable when Redis cannot answer. Times are Redis's own.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, NamedTuple, cast

from app.core.lane import Cut, Pace
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# All askers together are ahead of the limits by this much at most.
WINDOW_MS: Final = 250


class Rates(NamedTuple):
    """Per second: the organization's (as this connection is configured), and the lane's own."""

    messages: float
    requests: float
    lane_messages: float
    lane_requests: float


class Demand(NamedTuple):
    """`messages` and `requests`: what to lease. `least`: fewer messages are of no use."""

    messages: float
    least: float
    requests: float


class Lease(NamedTuple):
    """What may be sent. With nothing leased: `wait_seconds` until it is worth asking again, or the
    pace has changed and the rates with it. `askers`: with how many the organization is shared."""

    pace: Pace
    messages: float
    requests: float
    wait_seconds: float
    askers: int


class Budgets:
    """Leases for all lanes; one per process."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._lease = Script(redis, "lane_lease")
        self._cut = Script(redis, "lane_cut")

    async def lease(
        self, scope: str, connection: str, asker: str, pace: Pace, rates: Rates, demand: Demand
    ) -> Lease:
        """`scope`: the organization and host; `asker`: this worker's lane; `pace`: the one that
        the lane's rates were computed from."""
        peak, low, grown, streak, version, messages, requests, wait_ms, askers = await self._lease(
            [keys.budget(scope), keys.lane_pace(connection), keys.budget_askers(scope),
             keys.budget_queue(scope)],
            [asker, pace.version, *demand, *rates, WINDOW_MS],
        )  # fmt: skip
        found = Pace(float(peak), float(low), float(grown), int(streak), int(version))
        return Lease(found, float(messages), float(requests), wait_ms / 1000, int(askers))

    async def cut(self, connection: str, version: int, cut: Cut) -> bool:
        """Slows the lane down for all workers; False when somebody did since `version`."""
        pace, hold_seconds = cut
        return bool(
            await self._cut(
                [keys.lane_pace(connection)],
                [version, pace.peak, pace.low, pace.streak, int(hold_seconds * 1000), WINDOW_MS],
            )
        )

    async def pace(self, connection: str) -> Pace:
        """The lane's pace as it is now."""
        with store_faults():
            found = await cast(
                Awaitable[list[bytes | None]],
                self._redis.hmget(
                    keys.lane_pace(connection), ["peak", "low", "grown", "streak", "version"]
                ),
            )
        peak, low, grown, streak, version = (float(value or 0) for value in found)
        return Pace(peak, low, grown, int(streak), int(version))
