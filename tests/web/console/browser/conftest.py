"""A browser for all tests, and pages of it at the module's own console, its `running`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.console.browser.running import Open, Running, chromium_browser, pages_of


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def open_page(chromium: Browser, running: Running) -> Iterator[Open]:
    """Opens a page as a role, `admin` unless told."""
    with pages_of(chromium, running.url) as opened:
        yield opened
