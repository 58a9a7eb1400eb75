"""The console in a real browser: Debian's chromium, which .ci/run installs; skipped without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.core.batch import encode_received
from app.store import keys
from app.store.batches import Batches
from app.store.connect import Store
from tests.dead import bury, letter_of
from tests.web.console.browser.running import (
    NARROW,
    WIDE,
    Open,
    Running,
    serving,
)
from tests.web.console.browser.usable import hindrances
from tests.web.console.conftest import PASSWORD
from tests.web.console.furnish import DEAD, body_of, furnish

PAGES = [
    "/", "/dead-letters", "/dead-letters/1", f"/events?id={DEAD}", "/ledger?hours=1", "/lanes",
    "/tail", "/recipes", "/recipes/hostile", "/recipes/hostile/edit", "/recipes/hostile/trial",
    "/replays", "/replays/1", "/replays/1/trial", "/dead-letters/list",
    "/dead-letters/1/edit", "/dead-letters/discard", "/connections", "/mappings",
    "/mappings/customerio-default", "/mappings/customerio-default/preview", "/audit",
    "/dead-letters/import",
    "/users", "/account", "/nope",
]  # fmt: skip

# On a busy machine a look at the pipeline may be seconds away.
pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("redis"), lambda redis: Running(redis, furnish)) as found:
        yield found


def stage(page: Page, name: str) -> Any:
    return page.locator(f".stage-{name} .big")


# --- looking ---


def test_the_overview_goes_on_by_itself(open_page: Open, running: Running) -> None:
    page = open_page("viewer")
    expect(page.locator("#live")).to_have_text("live")
    before = int((stage(page, "received").text_content() or "").replace(",", ""))

    async def receive() -> None:
        frame = encode_received([b"{}"] * 1234, [1_700_000_000_000] * 1234)
        await Batches(running.console.redis).commit("example", frame, 1234)

    running.do(receive)

    expect(stage(page, "received")).to_have_text(f"{before + 1234:,}")
    expect(page.locator("#chart-rate canvas")).to_be_visible()
    expect(page.locator("#chart-backlog canvas")).to_be_visible()


def test_the_focus_stays_while_a_part_is_replaced(open_page: Open) -> None:
    page = open_page("viewer")
    expect(page.locator("#live")).to_have_text("live")
    page.locator("#to-dead").focus()
    page.evaluate("document.activeElement.dataset.old = 'yes'")
    expect(page.locator("#to-dead[data-old]")).to_have_count(0)
    expect(page.locator("#to-dead")).to_be_focused()


def test_redis_stopped_while_looking_is_said_and_so_is_its_return(
    open_page: Open, running: Running
) -> None:
    page = open_page("viewer")
    expect(page.locator("#live")).to_have_text("live")
    running.redis.kill()
    try:
        fault = page.locator("#part-pipeline [role=alert]")
        expect(fault).to_contain_text("Redis cannot be reached. What you see is of")
        expect(stage(page, "received")).to_be_visible()
        page.goto("/ledger")
        expect(page.locator("#rows [role=alert]")).to_contain_text("Redis cannot be reached")
        page.goto("/")
    finally:
        running.redis.start()
    expect(page.locator("#part-pipeline [role=alert]")).to_have_count(0)
    expect(page.locator("#live")).to_have_text("live")


def test_what_changes_by_itself_can_be_stopped(open_page: Open, running: Running) -> None:
    page = open_page("viewer")
    expect(page.locator("#live")).to_have_text("live")
    page.get_by_role("button", name="Pause updates").click()
    page.evaluate("document.querySelector('#part-pipeline > *').dataset.old = 'yes'")
    version = running.console.live.version
    running.do(lambda: running.console.live.after(version + 3))
    expect(page.locator("#part-pipeline [data-old]")).to_have_count(1)
    page.get_by_role("button", name="Pause updates").click()
    expect(page.locator("#part-pipeline [data-old]")).to_have_count(0)


def test_an_event_is_found_without_loading_the_page_again(open_page: Open) -> None:
    page = open_page("viewer")
    page.goto("/events")
    page.evaluate("window.same = true")
    page.get_by_label("Event id").fill(DEAD)
    page.keyboard.press("Enter")
    expect(page.locator(".steps li strong").first).to_have_text("Received")
    assert page.evaluate("window.same") is True
    assert f"id={DEAD}" in page.url


def test_it_is_useful_without_javascript(open_page: Open) -> None:
    page = open_page("admin", java_script_enabled=False, viewport=NARROW)
    expect(stage(page, "delivered")).to_have_text("1")
    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("link", name="Ledger", exact=True).click()
    page.get_by_label("by hour of receipt").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="Hour")).to_have_count(1)
    page.goto("/events")
    page.get_by_label("Event id").fill(DEAD)
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".steps li strong").first).to_have_text("Received")


# --- acting ---


def test_an_operator_holds_a_lane_back_and_lets_it_go(open_page: Open) -> None:
    page = open_page("operator")
    page.goto("/lanes")
    page.get_by_label("Why").fill("<b>their</b> maintenance")
    page.get_by_role("button", name="Hold back").click()
    expect(page.get_by_role("status")).to_contain_text("example is held back")
    row = page.locator("#lanes tbody tr")
    expect(row).to_contain_text("operator: <b>their</b> maintenance")
    page.get_by_role("button", name="Let go").click()
    expect(row.locator(".tag")).to_have_text("open")
    page.goto("/audit")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("lanes.pause")


def test_a_viewer_is_shown_no_button_that_would_be_refused(open_page: Open) -> None:
    page = open_page("viewer")
    page.goto("/lanes")
    expect(page.get_by_text("you need the role operator")).to_be_visible()
    expect(page.get_by_role("button", name="Hold back")).to_have_count(0)
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page("")
    # A shortcut's second letter must follow within a second and a half: here, always.
    page.clock.set_fixed_time(1_700_000_000_000)
    page.goto("/login")
    # A page is loaded before `autofocus` takes effect: on a busy machine the first letters of the
    # name went nowhere.
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("operator")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/lanes")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.wait_for_url("**/events")
    page.keyboard.press("/")
    expect(page.get_by_label("Event id")).to_be_focused()
    page.keyboard.type(f"{DEAD}\n")
    expect(page.locator(".steps")).to_be_visible()


async def bury_two(redis: Store) -> None:
    """Two letters of one cause; their connection maps them."""
    bodies = [body_of(f"01HG{at:022d}", subject=f"Hello {at}") for at in range(2)]
    await bury(redis, [letter_of(body, at, causes=1) for at, body in enumerate(bodies)])


def test_a_cause_is_found_understood_fixed_tried_replayed_and_ended(
    open_page: Open, running: Running
) -> None:
    running.do(lambda: bury_two(running.console.redis))
    page = open_page("operator")
    page.goto("/dead-letters?failure=schema")
    page.get_by_role("link", name="expected string").click()
    page.get_by_role("link", name="Its letters").click()
    page.locator("tbody th a").first.click()
    expect(page.locator("pre").first).to_contain_text("Hello 1")

    page.get_by_role("link", name="Edit", exact=True).click()
    field, verdict = page.get_by_label("The body, in JSON"), page.locator("#verdict")
    text = field.input_value()
    field.fill(text.replace('"metric"', "metric"))
    expect(verdict).to_contain_text("Line 4, column")
    field.fill(text.replace("Hello 1", "Bye"))
    expect(verdict).to_contain_text("The record it makes")
    page.get_by_role("button", name="Save the edit").click()
    expect(page.get_by_role("status")).to_contain_text("The edit is kept")
    expect(page.locator("pre").last).to_contain_text("Bye")

    page.get_by_role("link", name="cause", exact=True).click()
    page.get_by_role("button", name="Replay them").click()
    expect(page.locator("#trial")).to_contain_text("of 2 tried would pass")
    page.get_by_label("Events a second").fill("1")
    page.get_by_role("button", name="Replay 2 letters").click()
    expect(page.locator("#run h2")).to_contain_text("running")
    # No worker is here; what one would write is seen without loading the page again.
    number = int(page.url.rsplit("/", 1)[1])
    page.evaluate("window.same = true")
    running.do(lambda: running.console.redis.hset(keys.replay_run(number), "put", 1))
    expect(page.locator("#run")).to_contain_text("1 of 2")
    assert page.evaluate("window.same") is True
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run h2")).to_contain_text("cancelled")


def test_dead_letters_are_edited_and_replayed_without_javascript(
    open_page: Open, running: Running
) -> None:
    running.do(lambda: bury_two(running.console.redis))
    page = open_page("operator", java_script_enabled=False, viewport=NARROW)
    page.goto("/dead-letters/list?failure=schema")
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("The body, in JSON").fill("{")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#verdict")).to_contain_text("Line 1, column")
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Replay it").click()
    expect(page.get_by_role("status")).to_contain_text("is on the queue again")


def test_shortcuts_can_be_switched_off(open_page: Open) -> None:
    """WCAG 2.1.4: who speaks to the computer types letters unawares."""
    page = open_page("viewer")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Shortcuts are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert not page.url.endswith("/ledger")


def test_dark_can_be_chosen_against_the_system(open_page: Open) -> None:
    page = open_page("viewer", color_scheme="light")
    page.goto("/account")
    page.get_by_label("dark", exact=True).check()
    page.get_by_role("button", name="Set").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(16, 21, 28)"


# --- everywhere ---


@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_every_page_can_be_used_by_everybody(
    open_page: Open, viewport: dict[str, int], scheme: str
) -> None:
    """No serious finding of axe, no page wider than the screen; and nothing hostile ran on the
    way (the fixture watches)."""
    page = open_page("admin", viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    found = [each for path in (*PAGES, "/login") for each in hindrances(page, path)]
    assert not found, "\n".join(found)
