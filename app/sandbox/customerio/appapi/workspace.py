"""One workspace while it runs: its reporting webhooks, and how often its keys may call."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from app.sandbox.config import Region, Workspace
from app.sandbox.customerio.appapi.webhook import Webhook, created, updated


class PerSecond:
    """At most `allowed` in any second: the strictest reading of "10 requests a second"."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._taken: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Whether one more may pass at `now`, in seconds; one that may not does not count."""
        while self._taken and now - self._taken[0] >= 1.0:
            self._taken.popleft()
        if len(self._taken) >= self._allowed:
            return False
        self._taken.append(now)
        return True


@dataclass(slots=True)
class LiveWorkspace:
    """`numbers`: where ids of webhooks come from; one source for all workspaces."""

    config: Workspace
    numbers: count[int]
    webhooks: dict[int, Webhook] = field(default_factory=dict)

    def create(self, body: bytes) -> Webhook:
        """Raises Malformed. Nothing says that names are unique: a second call makes a second."""
        webhook = created(body, self.numbers)
        self.webhooks[webhook.id] = webhook
        return webhook

    def update(self, webhook: Webhook, body: bytes) -> Webhook:
        """Raises Malformed."""
        changed = self.webhooks[webhook.id] = updated(webhook, body)
        return changed

    def delete(self, webhook: Webhook) -> None:
        del self.webhooks[webhook.id]


class Workspaces:
    """All of them, by name and by App API key."""

    def __init__(
        self, configs: Iterable[Workspace], allowed: int, clock: Callable[[], float]
    ) -> None:
        numbers = count(1)
        self.by_name = {config.name: LiveWorkspace(config, numbers) for config in configs}
        self._clock = clock
        self._limits: defaultdict[str, PerSecond] = defaultdict(lambda: PerSecond(allowed))

    def behind(self, key: str, region: Region) -> LiveWorkspace | None:
        """The workspace whose key this is; a key of the other region opens nothing."""
        for workspace in self.by_name.values():
            if key in workspace.config.app_keys and workspace.config.region == region:
                return workspace
        return None

    def may_call(self, key: str) -> bool:
        return self._limits[key].take(self._clock())
