"""The clients of both ends, made from a setup."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from app.adobe.catalog import Catalog
from app.adobe.data_prep import DataPrep
from app.adobe.flow_service import FlowService
from app.adobe.ims import Credential, TokenClient
from app.adobe.namespaces import Namespaces
from app.adobe.own_token import OwnToken
from app.adobe.platform_client import Account, PlatformClient
from app.adobe.schema_registry import SchemaRegistry
from app.core.curl import Show
from app.core.errors import ConfigError
from app.customerio.app_api import AppApi, Workspace
from app.customerio.webhooks import Webhooks
from app.settings.setups import Setup

# Adobe names no limit for these services; a person waits here, for some forty calls, once.
PLATFORM_PER_SECOND: Final = 20.0
# It allows 10, and other programs may use the same workspace.
CUSTOMERIO_PER_SECOND: Final = 8.0
# How long something may be in a transitional state (platform.md section 1.11).
PATIENCE_SECONDS: Final = 60.0
# How long a look at something may be silent, twice; who hangs is said to hang in half a minute.
LOOK_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Ends:
    """`session`, `show`: for the test event, which is a call of our own."""

    session: aiohttp.ClientSession
    show: Show | None
    client: PlatformClient
    registry: SchemaRegistry
    namespaces: Namespaces
    catalog: Catalog
    flows: FlowService
    mappings: DataPrep
    webhooks: Webhooks


@asynccontextmanager
async def open_ends(setup: Setup, show: Show | None = None) -> AsyncIterator[Ends]:
    """The clients of a setup's two ends; no call is made yet."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield ends_of(setup, session, show)


def ends_of(
    setup: Setup,
    session: aiohttp.ClientSession,
    show: Show | None = None,
    requests_per_second: float | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Ends:
    """The clients, over a session of the caller's. `requests_per_second`: None = as is fit."""
    client = PlatformClient(
        session,
        _account(setup),
        OwnToken(TokenClient(session, _credential(setup), show=show), sleep=sleep),
        requests_per_second=requests_per_second or PLATFORM_PER_SECOND,
        patience_seconds=PATIENCE_SECONDS,
        look_seconds=LOOK_SECONDS,
        show=show,
        sleep=sleep,
    )
    key = secret_text(setup.customerio.api_key, f"setup {setup.name}: customerio.api_key")
    workspace = Workspace(setup.customerio.url, key)
    pace = requests_per_second or CUSTOMERIO_PER_SECOND
    api = AppApi(
        session, workspace, requests_per_second=pace, look_seconds=LOOK_SECONDS, show=show,
        sleep=sleep,
    )  # fmt: skip
    return Ends(
        session, show, client,
        SchemaRegistry(client), Namespaces(client), Catalog(client), FlowService(client),
        DataPrep(client), Webhooks(api),
    )  # fmt: skip


def secret_text(secret: bytes, place: str) -> str:
    """A secret as it is sent. `place`: where it is referred to. Raises ConfigError."""
    text = secret.decode("ascii", "replace")
    # One with a line end or the like is refused by the HTTP client, in words for programmers.
    if not text.isascii() or not text.isprintable():
        raise ConfigError(
            [f"{place}: what it points at is no secret of one line: put the secret alone there"]
        )
    return text


def _account(setup: Setup) -> Account:
    wanted = setup.platform
    client_id = wanted.credentials.client_id
    return Account(wanted.api_url, client_id, wanted.org_id, wanted.sandbox_name)


def _credential(setup: Setup) -> Credential:
    given = setup.platform.credentials
    place = f"setup {setup.name}: platform.credentials.client_secrets"
    secrets = tuple(secret_text(secret, place) for secret in given.client_secrets)
    return Credential(given.client_id, secrets, given.scopes, given.ims_url)
