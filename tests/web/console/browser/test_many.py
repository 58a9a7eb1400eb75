"""A hundred thousand dead letters in a real browser: causes, lists, searches, a selection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.core.dead_letter import about_of
from app.sandbox.traffic import generate
from app.store.connect import Store
from tests.dead import CAUSES, load
from tests.web.console.browser.running import Open, Running, serving

# With the making of the letters, on a busy machine.
pytestmark = pytest.mark.timeout(240)

COUNT, DISTINCT = 100_000, 4_000
BODIES = list(generate(1, DISTINCT, body_bytes=400))


async def many(store: Store) -> None:
    await load(store, COUNT, BODIES, distinct=DISTINCT)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("redis"), lambda redis: Running(redis, many)) as found:
        yield found


def numbers(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#letters tbody th a").all_text_contents()]


def test_three_causes_are_forty_and_lead_to_their_letters_page_by_page(open_page: Open) -> None:
    page = open_page("operator")
    expect(page.locator(".stage-dead .big")).to_have_text("100,000")
    page.goto("/dead-letters")
    expect(page.locator(".cause")).to_have_count(len(CAUSES))
    expect(page.locator(".cause .number strong").first).to_have_text("2,500")

    # Narrowed without loading the page again; the address says how.
    page.evaluate("window.same = true")
    page.get_by_label("Class").fill("contract")
    page.get_by_label("Error or note says").fill("DCVS-1103")
    page.keyboard.press("Enter")
    expect(page.locator(".cause")).to_have_count(1)
    assert page.evaluate("window.same") is True
    assert page.url.endswith("/dead-letters?failure=contract&text=DCVS-1103")
    page.locator(".cause h2 a").click()
    page.get_by_role("link", name="Its letters").click()
    seen = numbers(page)
    for _ in range(2):
        page.get_by_role("link", name="Older").click()
        page.wait_for_url(f"**before={seen[-1]}*")
        seen += numbers(page)
    assert len(seen) == 150 and seen == sorted(set(seen), reverse=True)

    page.get_by_role("button", name="Replay them").click()
    expect(page.get_by_role("button", name="Replay 2,500 letters")).to_be_visible()
    expect(page.locator("#trial")).to_contain_text("of 200 tried")


def test_people_and_bodies_are_searched_and_no_address_says_for_whom(open_page: Open) -> None:
    letters = Counter(person for body in BODIES for person in set(about_of(body).people))
    person = next(name for name, bodies in letters.items() if bodies * COUNT // DISTINCT == 75)
    page = open_page("operator")
    page.goto("/dead-letters/list")
    page.get_by_text("More filters").click()
    page.get_by_label("Person", exact=True).fill(person)
    page.keyboard.press("Enter")
    older = page.get_by_role("button", name="Older")
    expect(older).to_be_visible()
    seen = numbers(page)
    older.click()
    page.wait_for_load_state()
    expect(page.locator("#letters tbody tr")).to_have_count(25)
    seen += numbers(page)
    assert len(seen) == 75 and seen == sorted(set(seen), reverse=True)
    assert page.url.endswith("/dead-letters/list"), "it does not say for whom"

    page.get_by_label("Person", exact=True).fill("")
    page.get_by_label("Body holds").fill("nowhere to be found")
    page.keyboard.press("Enter")
    expect(page.locator("#letters")).to_contain_text("bodies were searched, and there are more")
    # A quick machine comes to the end of them now.
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Search on").click()
    expect(page.locator("#letters")).to_contain_text("bodies were searched")
    assert "body" not in page.url
