"""`sluice serve-console`: the console's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
import typer
import uvloop
from aiohttp import web

from app.core.errors import ConfigError
from app.settings import Settings, environment, load_settings
from app.settings.mapping_sets import Configuration
from app.store.audit import Audit
from app.store.connect import open_store
from app.store.lane_views import LaneViews
from app.store.login_limits import LoginLimits
from app.store.samples import Samples
from app.store.sessions import Sessions
from app.store.tokens import Tokens
from app.store.users import Role, Users
from app.web.console.both_ends import BothEnds
from app.web.console.config import Console, ConsoleConfig
from app.web.console.live import Live
from app.web.console.oidc.config import OidcConfig
from app.web.console.oidc.provider import Provider
from app.web.console.panels import Panels
from app.web.console.server import make_app

log = structlog.get_logger(__name__)

# A page says that Redis is away rather than wait for it.
_REDIS_SECONDS = 3.0


def serve_console(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the operators' console. `sluice users add` makes who may log in."""
    environ = environment()
    settings = load_settings(environ)
    address = host or settings.console_host
    number = settings.console_port if port is None else port
    try:
        web.run_app(
            _application(settings, environ),
            host=address,
            port=number,
            access_log=None,
            # Streams end by themselves.
            shutdown_timeout=2.0,
            loop=uvloop.new_event_loop(),
            print=lambda *_: log.info("console.listening", host=address, port=number),
        )
    except OSError as fault:
        raise ConfigError(
            [
                f"environment: SLUICE_CONSOLE_PORT: cannot listen on {address}:{number} "
                f"({fault.strerror}); choose another port"
            ]
        ) from None


async def _application(settings: Settings, environ: Mapping[str, str]) -> web.Application:
    context = open_console(settings, environ)
    app = make_app(await context.__aenter__())

    async def close(_app: web.Application) -> None:
        await context.__aexit__(None, None, None)

    app.on_cleanup.append(close)
    return app


@asynccontextmanager
async def open_console(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Console]:
    """The parts of a console, wired; Redis is closed at the end."""
    redis = open_store(settings.redis, timeout_seconds=_REDIS_SECONDS, data_dir=settings.data_dir)
    config = console_config(settings)
    try:
        yield Console(
            config=config,
            redis=redis,
            users=Users(redis),
            sessions=Sessions(
                redis, int(config.idle_seconds * 1000), int(config.session_seconds * 1000)
            ),
            tokens=Tokens(redis),
            limits=LoginLimits(redis),
            audit=Audit(redis),
            samples=Samples(redis, settings.sample_events, int(settings.sample_hours * 3_600_000)),
            lane_views=LaneViews(redis),
            live=Live(redis, config.memory_share),
            panels=Panels(),
            configuration=lambda: Configuration(environ),
            both_ends=BothEnds(environ, redis),
            provider=provider_of(settings),
        )
    finally:
        await redis.aclose(close_connection_pool=True)


def provider_of(settings: Settings) -> Provider | None:
    """Who vouches for people, if anybody does."""
    if settings.oidc_issuer is None:
        return None
    return Provider(
        OidcConfig(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id or "",
            client_secret=settings.oidc_client_secret,
            back_url=f"{(settings.console_url or '').rstrip('/')}/login/oidc/back",
            scopes=settings.oidc_scopes,
            name_claim=settings.oidc_name_claim,
            role_claim=settings.oidc_role_claim,
            roles=tuple((group, Role(role)) for group, role in settings.oidc_roles),
        )
    )


def console_config(settings: Settings) -> ConsoleConfig:
    """The console's part of the settings."""
    return ConsoleConfig(
        public_url=settings.console_url,
        trusted_proxies=settings.trusted_proxies,
        idle_seconds=settings.console_idle_minutes * 60,
        session_seconds=settings.console_session_hours * 3600,
        memory_share=settings.memory_share,
    )
