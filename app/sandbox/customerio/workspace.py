"""The workspaces while they run: their reporting webhooks, and what happens in them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Final

from app.sandbox.config import Region, SandboxConfig, Workspace
from app.sandbox.customerio.appapi.limit import PerSecond
from app.sandbox.customerio.appapi.webhook import Webhook, created, updated
from app.sandbox.customerio.events.mint import send_test_body
from app.sandbox.customerio.post import Answer
from app.sandbox.customerio.reporting.courier import Courier
from app.sandbox.customerio.reporting.happening import Happening
from app.sandbox.customerio.reporting.play import Order, Play
from app.sandbox.customerio.reporting.stream import Stream

_PLAYS_KEPT: Final = 100


@dataclass(slots=True)
class Registered:
    """A reporting webhook and its stream, which `sending` runs."""

    stream: Stream
    sending: asyncio.Task[None]

    @property
    def webhook(self) -> Webhook:
        return self.stream.webhook


@dataclass(slots=True)
class LiveWorkspace:
    """`numbers`: where ids of webhooks come from; one source for all workspaces. `factor`: how
    much faster than in life waits run. `clock`: Unix seconds."""

    config: Workspace
    numbers: count[int]
    courier: Courier
    factor: float
    clock: Callable[[], float]
    webhooks: dict[int, Registered] = field(default_factory=dict)
    plays: list[Play] = field(default_factory=list)

    def create(self, body: bytes) -> Webhook:
        """Raises Malformed. Nothing says that names are unique: a second call makes a second."""
        webhook = created(body, self.numbers)
        self.register(webhook)
        return webhook

    def register(self, webhook: Webhook) -> None:
        """Begin to serve it."""
        stream = Stream(webhook, self._post, self.factor, self.clock)
        self.webhooks[webhook.id] = Registered(stream, self.courier.start(stream.run()))

    def update(self, webhook: Webhook, body: bytes) -> Webhook:
        """Raises Malformed."""
        changed = updated(webhook, body)
        self.webhooks[webhook.id].stream.change(changed)
        return changed

    def delete(self, webhook: Webhook) -> None:
        """What waits for it is forgotten."""
        self.webhooks.pop(webhook.id).sending.cancel()

    def play(self, order: Order) -> Play:
        """Begin to make the events of `order`."""
        number = self.plays[-1].number + 1 if self.plays else 1
        play = Play(number, order)
        self.plays = [*self.plays[1 - _PLAYS_KEPT :], play]
        self.courier.start(play.run(self.clock, self._happen))
        return play

    async def send_test(self, webhook: Webhook) -> Answer:
        """What the *Send Test* button does (customerio.md section 11): once, beside the stream, be
        the webhook enabled or not; that is not documented."""
        return await self._post(webhook.endpoint, send_test_body(int(self.clock())))

    async def settled(self) -> None:
        """Returns when every play is over and nothing waits, or when the sandbox ends."""
        for play in self.plays:
            await play.over.wait()
        for registered in list(self.webhooks.values()):
            await registered.stream.empty.wait()

    def _happen(self, happening: Happening) -> None:
        for registered in self.webhooks.values():
            registered.stream.offer(happening)

    async def _post(self, endpoint: str, body: bytes) -> Answer:
        return await self.courier.post(self.config.signing_key.encode(), endpoint, body)


class Workspaces:
    """All of them, by name and by App API key."""

    def __init__(self, config: SandboxConfig, courier: Courier, clock: Callable[[], float]) -> None:
        self._numbers = count(1)
        live = partial(
            LiveWorkspace,
            numbers=self._numbers,
            courier=courier,
            factor=config.time_factor,
            clock=clock,
        )
        self.by_name = {workspace.name: live(workspace) for workspace in config.workspaces}
        self._clock = clock
        allowed = config.app_api_per_second
        self._limits: defaultdict[str, PerSecond] = defaultdict(lambda: PerSecond(allowed))

    def behind(self, key: str, region: Region) -> LiveWorkspace | None:
        """The workspace whose key this is; a key of the other region opens nothing."""
        for workspace in self.by_name.values():
            if key in workspace.config.app_keys and workspace.config.region == region:
                return workspace
        return None

    def may_call(self, key: str) -> bool:
        return self._limits[key].take(self._clock())

    def webhooks(self) -> dict[str, list[Webhook]]:
        """All there are, by the name of their workspace."""
        return {
            name: [registered.webhook for registered in workspace.webhooks.values()]
            for name, workspace in self.by_name.items()
        }

    def restore(self, known: Mapping[str, Sequence[Webhook]]) -> None:
        """Serve those that another run of the sandbox had; to be called once, and first."""
        for name, webhooks in known.items():
            if (workspace := self.by_name.get(name)) is not None:
                for webhook in webhooks:
                    workspace.register(webhook)
        for _ in range(max((each.id for found in known.values() for each in found), default=0)):
            next(self._numbers)
