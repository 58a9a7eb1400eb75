"""What this worker may send now: its leased part of the limits that all workers share.

Redis is asked some times a second, not per request; while it cannot be asked, this worker goes on
with half of its fair part.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.core.lane import FRESH, Cut, Pace, cut, messages_per_second
from app.store.budgets import Demand, Lease, Rates
from worker.lane.rate_limit import RateLimit

# A request carries what may be sent in this time: so a slow lane sends small requests, often enough
# to learn from them, and a fast one large ones.
_REQUEST_SECONDS: Final = 0.1
# The slowest lane asks so often, unless its limit is lower: it need not be the requests that were
# too many.
_REQUESTS_LEAST: Final = 1.0
# What is leased and not used by then is lost to this worker, and by then free again for all.
_LEASE_SECONDS: Final = 0.5
_WAIT_MOST_SECONDS: Final = 0.25
# Redis that takes longer is as good as away; then it is left alone for a while.
_PATIENCE_SECONDS: Final = 1.0
_ALONE_SECONDS: Final = 1.0
_ALONE_SHARE: Final = 0.5
# Stands for "no limit" where the other of the two is one.
_ENDLESS: Final = 1e12


class SharedBudget(Protocol):
    """The shared side; app.store.budgets.Budgets is the one. Raises StoreUnavailable."""

    async def lease(
        self, scope: str, connection: str, asker: str, pace: Pace, rates: Rates, demand: Demand
    ) -> Lease: ...
    async def cut(self, connection: str, version: int, cut: Cut) -> bool: ...


class Allowance:
    """One lane's, in one process. Limits are per second; both infinite: nothing is asked."""

    def __init__(
        self,
        connection: str,
        scope: str,
        budget: SharedBudget,
        messages_limit: float,
        requests_limit: float,
        *,
        asker: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._connection, self._scope, self._asker = connection, scope, asker
        self._budget = budget
        self._endless = math.isinf(messages_limit) and math.isinf(requests_limit)
        self._limits = (min(messages_limit, _ENDLESS), min(requests_limit, _ENDLESS))
        self._clock, self._sleep = clock, sleep
        self._pace = FRESH
        self._messages = self._requests = 0.0
        self._spent = (0.0, 0.0)
        self._until = -math.inf
        self._askers = 1
        self._asking = asyncio.Lock()
        self._alone_until = -math.inf
        self._alone: tuple[RateLimit, RateLimit] | None = None
        self._log = structlog.get_logger()

    @property
    def rate(self) -> float:
        """Messages per second that all workers of the lane may send together."""
        return math.inf if self._endless else messages_per_second(self._pace, self._limits[0])

    @property
    def version(self) -> int:
        """Names the pace; `refused` wants the one at which the refused request was sent."""
        return self._pace.version

    def request_size(self, most: int) -> int:
        """How many messages one request should carry, so that neither limit starves the other."""
        if self._endless:
            return most
        rates = self._rates()
        both = math.ceil(rates.lane_messages / rates.lane_requests)
        return max(1, min(most, max(both, int(rates.lane_messages * _REQUEST_SECONDS))))

    async def take(self, messages: int, waiting: int) -> None:
        """Returns when a request with so many messages may be sent. `waiting`: those behind it.

        In the order of asking. More messages than a window's worth are saved up for.
        """
        if self._endless:
            return
        async with self._asking:
            while not self._spend(messages):
                if self._clock() < self._alone_until and self._alone is not None:
                    own = max(self._alone[0].reserve(messages), self._alone[1].reserve(1))
                    if own > 0:
                        await self._sleep(own)
                    return
                if (wait := await self._ask(messages, waiting)) > 0:
                    await self._sleep(min(wait, _WAIT_MOST_SECONDS))

    async def refused(self, version: int) -> bool:
        """Platform refused a request as one too many: slower from here on, for all workers.

        False when there is no limit to lower. Refusals of one moment count once.
        """
        if self._endless:
            return False
        if version != self._pace.version:
            return True
        slower = cut(self._pace, self._limits[0])
        self._messages = self._requests = 0.0
        before = self.rate
        try:
            first = await self._budget.cut(self._connection, version, slower)
        except StoreUnavailable:
            first = True
        if first:
            self._pace = slower.pace
            self._log.info(
                "lane.slowed",
                connection=self._connection,
                messages_per_second=round(self.rate, 1),
                before=round(before, 1),
            )
        return True

    def _spend(self, messages: int) -> bool:
        late = self._clock() >= self._until
        if self._messages < messages or self._requests < 1 or late:
            return False
        self._messages -= messages
        self._requests -= 1
        self._spent = (self._spent[0] + messages, self._spent[1] + 1)
        return True

    async def _ask(self, messages: int, waiting: int) -> float:
        """Leases more; the seconds to wait before asking again."""
        now = self._clock()
        if now >= self._until:
            self._messages = self._requests = 0.0
        rates = self._rates()
        demand = self._demand(messages, waiting, used_up=now < self._until)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                lease = await self._budget.lease(
                    self._scope, self._connection, self._asker, self._pace, rates, demand
                )
        except (StoreUnavailable, TimeoutError):
            return self._go_alone(self._clock())
        self._pace, self._askers, self._alone = lease.pace, lease.askers, None
        self._until = self._clock() + _LEASE_SECONDS
        if lease.messages <= 0:
            return lease.wait_seconds
        self._messages += lease.messages
        self._requests += lease.requests
        self._spent = (0.0, 0.0)
        return 0.0

    def _rates(self) -> Rates:
        messages, requests = self._limits
        share = self.rate / messages
        # Slowed down alike: it need not be the messages that were too many.
        slowed = max(min(requests, _REQUESTS_LEAST), requests * share)
        return Rates(messages, requests, messages * share, slowed)

    def _demand(self, messages: int, waiting: int, *, used_up: bool) -> Demand:
        """What is needed, or what was used lately: twice that if it was used up before its time."""
        often = 2.0 if used_up else 1.0
        needed = max(1.0, messages - self._messages)
        wanted = max(needed, min(float(waiting), self.rate), often * self._spent[0])
        requests = max(1.0, wanted / max(1, messages), often * self._spent[1])
        return Demand(wanted, needed, requests)

    def _go_alone(self, now: float) -> float:
        """Redis cannot be asked: half of the fair part, until it is tried again."""
        share = _ALONE_SHARE / max(1, self._askers)
        if self._alone is None:
            rates = self._rates()
            self._alone = (
                RateLimit(rates.lane_messages * share, self._clock),
                RateLimit(rates.lane_requests * share, self._clock),
            )
        self._alone_until = now + _ALONE_SECONDS
        return 0.0
