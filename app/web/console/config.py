"""What the console must be told, in its own words: it reads neither environment nor files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.settings.mapping_sets import Configuration
from app.store.audit import Audit
from app.store.lane_views import LaneViews
from app.store.login_limits import LoginLimits
from app.store.samples import Samples
from app.store.scripting import Store
from app.store.sessions import Sessions
from app.store.tokens import Tokens
from app.store.users import Users
from app.web.console.both_ends import BothEnds
from app.web.console.live import Live
from app.web.console.oidc.provider import Provider
from app.web.console.panels import Panels
from app.web.sources import Network


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """`public_url`: how browsers reach it, None when that is not said; times in seconds."""

    public_url: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    idle_seconds: float = 1800.0
    session_seconds: float = 12 * 3600.0
    # Share of memory at which the receiver refuses webhooks: what a forecast counts down to.
    memory_share: float = 0.8
    token_days: float = 90.0
    streams_max: int = 200

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that cookies are for nothing else."""
        return (self.public_url or "").startswith("https:")

    @property
    def public_host(self) -> str:
        """Host and port of `public_url`, "" when there is none."""
        return urlsplit(self.public_url or "").netloc


@dataclass(frozen=True, slots=True)
class Console:
    """The parts of a running console. `configuration` reads the config folder anew: slow, and
    raises ConfigError."""

    config: ConsoleConfig
    redis: Store
    users: Users
    sessions: Sessions
    tokens: Tokens
    limits: LoginLimits
    audit: Audit
    samples: Samples
    lane_views: LaneViews
    live: Live
    panels: Panels
    configuration: Callable[[], Configuration]
    both_ends: BothEnds
    # None: local users alone.
    provider: Provider | None = None


CONSOLE: Final = web.AppKey("console", Console)
