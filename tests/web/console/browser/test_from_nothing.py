"""From nothing to the first delivered event, in a real browser: wizard, plan, signing key, status.

Both vendors are sandboxes in the console's thread; the worker is a real process, begun when the
connection file is there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.sync_api import Page, expect

from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET, SIGNING_KEY
from app.store.connect import Store, open_store
from app.store.users import Role
from app.web.console.config import Console
from app.web.console.live import Live
from app.web.console.server import make_app
from tests.conftest import RedisServer
from tests.e2e.process import Process
from tests.web.console.browser.running import NARROW, WIDE, Open, Running, serving
from tests.web.console.browser.usable import hindrances
from tests.web.console.conftest import PASSWORD
from tests.web.console.vendors import Vendors, vendors

pytestmark = pytest.mark.timeout(150)

PAGES = (
    "/connections", "/connections/acme", "/connections/acme/plan", "/connections/acme/work",
    "/connections/acme/plan?like=api", "/connections/acme/destroy", "/connect",
    "/connections/acme/destroy?retired=1",
)  # fmt: skip


class Beginning(Running):
    """A console with nothing set up, and both vendors."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        self.folder = folder
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
        environ |= {
            "SLUICE_REDIS_URL": redis.url,
            "SLUICE_CONFIG_DIR": str(folder / "config"),
            "SLUICE_DATA_DIR": str(folder / "var"),
            "SLUICE_WORKER_METRICS_PORT": "0",
        }
        self.worker = Process("worker", ["-m", "worker"], environ, folder)
        super().__init__(redis, self._nothing)

    def stop(self) -> None:
        async def close() -> None:
            await self._context.__aexit__(None, None, None)

        self.worker.kill()
        self.do(close)
        super().stop()
        print(self.worker.log[-3000:])

    async def _start(self) -> tuple[Console, TestServer]:
        redis = open_store(self.redis.url, timeout_seconds=2)
        self._context = vendors(self.folder, redis)
        self.vendors = await self._context.__aenter__()
        self.vendors.counts = False
        self.vendors.came = self._work
        live = Live(redis, interval_seconds=0.1)
        made = self.vendors.console(live=live)
        for role in Role:
            await made.users.add(role.value, role, PASSWORD)
        server = TestServer(make_app(made))
        await server.start_server()
        return made, server

    async def _nothing(self, _redis: Store) -> None:
        """All that there is, the test makes."""

    def _work(self) -> None:
        if not self.worker.alive:
            self.worker.start()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beginning]:
    folder = tmp_path_factory.mktemp("beginning")
    with serving(folder, lambda redis: Beginning(redis, folder)) as found:
        yield found


@pytest.fixture
def page(open_page: Open) -> Page:
    """An admin's."""
    return open_page()


def answer(page: Page, label: str, text: str, verdict: str) -> None:
    """Gives an answer, leaves the field, and waits for what is said of it."""
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")
    question = page.locator(".question").filter(has=field)
    expect(question.locator(".verdict")).to_contain_text(verdict)


def ask_all(page: Page, made: Vendors) -> None:
    """Through the wizard; on the way a wrong answer, and away and back again."""
    page.get_by_role("link", name="Set up a connection").click()
    page.get_by_text("Other addresses than the vendors' own").click()
    page.get_by_label("Platform's API").fill(made.url)
    page.get_by_label("IMS, for tokens").fill(f"{made.url}/ims/token/v3")
    page.get_by_label("Customer.io's App API").fill(made.url)
    page.get_by_label("Seconds that nothing is sent").fill("3")
    answer(page, "A short name for the connection", "acme", "it is free")
    answer(page, "Client id", "sandbox-client", "good")
    answer(page, "Client secret", "wrong", "✗")
    answer(page, "Client secret", IMS_CLIENT_SECRET, "a token was obtained")
    answer(page, "Organization id", "SANDBOX@AdobeOrg", "good")
    page.get_by_role("link", name="Connections", exact=True).first.click()
    page.get_by_role("link", name="Set up a connection").click()
    expect(page.get_by_label("Organization id")).to_have_value("SANDBOX@AdobeOrg")
    expect(page.get_by_label("Client secret")).to_have_value("")
    answer(page, "Platform's sandbox", "prod", "the credential may use it")
    answer(page, "App API key", APP_KEY, "it is valid")
    answer(page, "How Customer.io reaches the receiver", made.url, "somebody answers")
    page.get_by_role("button", name="Write the setup").click()


def test_from_nothing_to_the_first_delivered_event(page: Page, running: Beginning) -> None:
    page.goto("/connections")
    ask_all(page, running.vendors)
    expect(page.get_by_role("heading", name="Plan of acme")).to_be_visible()
    page.get_by_role("button", name="Apply this plan").click()

    page.get_by_label("Signing key", exact=True).fill(SIGNING_KEY)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#part-progress h2 .tag")).to_have_text("done", timeout=60_000)
    page.get_by_role("link", name="How acme stands now").click()
    expect(page.locator("#standing h2 .tag")).to_contain_text("in order")
    delivered = page.locator("#standing .facts > div").filter(has_text="Delivered")
    expect(delivered).to_contain_text("last never")

    order = {"count": 1, "families": ["email"]}
    running.do(lambda: running.vendors.ask("/customerio/workspaces/sandbox/play", order))

    expect(delivered).to_contain_text("1 in all", timeout=60_000)
    expect(delivered).not_to_contain_text("never")


def changed(running: Beginning, old: str, new: str) -> None:
    path = running.vendors.config / "setups/acme.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_was_replaced_goes_without_the_rest(page: Page, running: Beginning) -> None:
    """After the test before: another dataset means new objects, and the old ones stay there."""
    changed(running, "name: Customer.io events", "name: Others")
    page.goto("/connections/acme/plan")
    page.get_by_role("button", name="Apply this plan").click()
    progress = page.locator("#part-progress h2 .tag")
    expect(progress).to_have_text("done", timeout=60_000)
    page.get_by_text(re.compile(r"^\d+ calls made$")).click()
    calls = page.locator("details pre")
    expect(calls.filter(has_text="flowservice/flows").first).to_be_visible()
    page.get_by_role("link", name="How acme stands now").click()

    page.get_by_role("link", name="Destroy only these").click()
    # The dataflow, and all that it had.
    expect(page.locator("main li")).to_have_count(4)
    page.get_by_label("Type acme to destroy this").fill("acme")
    page.get_by_role("button", name="Destroy").click()

    expect(progress).to_have_text("done", timeout=60_000)
    page.get_by_role("link", name="How acme stands now").click()
    expect(page.locator("#standing h2 .tag")).to_contain_text("in order")
    expect(page.get_by_text("Was replaced")).to_have_count(0)
    assert running.do(running.vendors.objects)["flows"] == 1


def test_a_plan_can_be_held_against_adobe_s_tutorial(page: Page, running: Beginning) -> None:
    changed(running, "kind: http_api\n    data_type: xdm", "kind: customerio")
    try:
        page.goto("/connections/acme/plan")
        page.get_by_role("link", name="by API").click()
        heading = "Plan of acme, as Adobe's tutorial makes it by API"
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.get_by_text("Customer.io tutorial events")).to_be_visible()
        expect(page.get_by_role("button", name="Apply this plan")).to_have_count(0)
        page.get_by_role("link", name="in the UI").click()
        expect(page.get_by_role("heading", name="makes it in the UI")).to_be_visible()
    finally:
        changed(running, "kind: customerio", "kind: http_api\n    data_type: xdm")


def test_the_pages_can_be_used_by_everybody(page: Page) -> None:
    """No serious finding of axe, no page wider than the screen. After the test before."""
    found: list[str] = []
    for size in (NARROW, WIDE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        for path in PAGES:
            found += hindrances(page, path)
    assert not found, "\n".join(found)
