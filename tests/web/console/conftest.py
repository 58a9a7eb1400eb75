"""A console over a real Redis, and clients that keep cookies and fill in forms, as browsers do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from app.settings.mapping_sets import Configuration
from app.store.audit import Audit
from app.store.connect import Store
from app.store.lane_views import LaneViews
from app.store.login_limits import LoginLimits
from app.store.passwords import Passwords
from app.store.samples import Samples
from app.store.sessions import Sessions
from app.store.tokens import Tokens
from app.store.users import Role, Users
from app.web.console.both_ends import BothEnds
from app.web.console.config import Console, ConsoleConfig
from app.web.console.live import Live
from app.web.console.panels import Panels
from app.web.console.server import make_app

if TYPE_CHECKING:
    from tests.web.console.vendors import Vendors

ROOT = Path(__file__).parents[3]
PASSWORD = "correct horse battery"
# As weak as argon2 goes: what is tested is not its strength.
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def parts(redis: Store, config: ConsoleConfig | None = None, **settings: str) -> Console:
    """A console's parts; nothing is sampled but by `live.sample()`."""
    config = config or ConsoleConfig()
    environ = {"SLUICE_CONFIG_DIR": str(ROOT / "config"), **settings}
    return Console(
        config=config,
        redis=redis,
        users=Users(redis, Passwords(WEAK)),
        sessions=Sessions(
            redis, int(config.idle_seconds * 1000), int(config.session_seconds * 1000)
        ),
        tokens=Tokens(redis),
        limits=LoginLimits(redis),
        audit=Audit(redis),
        samples=Samples(redis, 1000, 3_600_000),
        lane_views=LaneViews(redis),
        live=Live(redis, interval_seconds=3600),
        panels=Panels(),
        configuration=lambda: Configuration(environ),
        both_ends=BothEnds(environ, redis),
    )


@dataclass
class Browser:
    """Somebody at the console."""

    client: TestClient
    console: Console

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.client.get(path, allow_redirects=False, headers=headers) as answer:
            return answer.status, await answer.text()

    async def csrf(self) -> str:
        """The token of this session's forms."""
        _, page = await self.get("/account")
        return field_of(page, "csrf")

    async def post(
        self, path: str, fields: dict[str, str], **headers: str
    ) -> aiohttp.ClientResponse:
        """A form as a page of ours would send it."""
        fields = {"csrf": await self.csrf(), **fields}
        return await self.client.post(path, data=fields, allow_redirects=False, headers=headers)

    async def log_in(
        self, name: str, password: str = PASSWORD, target: str = "/"
    ) -> aiohttp.ClientResponse:
        _, page = await self.get(f"/login?next={target}")
        fields = {"csrf": field_of(page, "csrf"), "next": target}
        fields |= {"name": name, "password": password}
        return await self.client.post("/login", data=fields, allow_redirects=False)

    def cookie(self, name: str = "sluice") -> str:
        """The session's id."""
        found = {morsel.key: morsel.value for morsel in self.client.session.cookie_jar}
        return found.get(name, "")


async def trail(console: Console) -> list[tuple[str, str, str, str]]:
    """Who did what, on what, from where; newest first."""
    entries, _ = await console.audit.page()
    return [(e.who, e.what, e.about.get("on", ""), e.about.get("origin", "")) for e in entries]


def field_of(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name} in {page[:2000]}"
    return unescape(found[1])


Visit = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def console(store: Store) -> Console:
    """Parts over an empty Redis, with a user of each role, called as the role."""
    made = parts(store)
    for role in Role:
        await made.users.add(role.value, role, PASSWORD)
    return made


@pytest.fixture
async def ends(tmp_path: Path, store: Store) -> AsyncIterator[Vendors]:
    """Both vendors, with nothing set up yet."""
    from tests.web.console.vendors import vendors  # stands on this module

    async with vendors(tmp_path, store) as made:
        yield made


@pytest.fixture
async def ours(ends: Vendors) -> Console:
    """The console of those vendors, with a user of each role."""
    made = ends.console()
    for role in Role:
        await made.users.add(role.value, role, PASSWORD)
    return made


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Opens a browser at a console; with a name, somebody is logged in there."""
    async with AsyncExitStack() as stack:
        servers: dict[int, TestServer] = {}

        async def open_one(console: Console, name: str = "") -> Browser:
            if id(console) not in servers:
                servers[id(console)] = TestServer(make_app(console))
                await stack.enter_async_context(servers[id(console)])
            client = TestClient(servers[id(console)], cookie_jar=aiohttp.CookieJar(unsafe=True))
            stack.push_async_callback(client.session.close)
            browser = Browser(client, console)
            if name:
                answer = await browser.log_in(name)
                assert answer.status == 303, await answer.text()
            return browser

        yield open_one
