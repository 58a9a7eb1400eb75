"""Takes the pictures."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import GroupFilter, Groups
from tests.e2e.system import System
from tests.screenshots.scene import NAME, PASSWORD, morning
from tests.web.console.browser.running import ARGUMENTS, NARROW, WIDE

# MARK: the cause with the most letters; NUMBER: one of its letters. Those with a star also dark.
PAGES = (
    "/*", "/dead-letters*", "/dead-letters?kind=none", "/dead-letters/groups/MARK",
    "/dead-letters/list*", "/dead-letters/NUMBER*", "/dead-letters/NUMBER/edit",
    "/dead-letters/discard?fingerprint=MARK", "/dead-letters/import", "/recipes",
    "/recipes/recipients", "/recipes/recipients/edit*", "/recipes/recipients/trial",
    "/recipes/_new", "/replays*", "/replays/2", "/replays/3", "/events?id=EVENT*", "/tail",
    "/ledger", "/ledger?hours=1", "/lanes*", "/connections", "/mappings",
    "/mappings/customerio-default", "/mappings/customerio-default/preview*", "/audit", "/users",
    "/account", "/nope",
)  # fmt: skip
# Pages that answer a form: the button, and where it is.
ACTS = (("/dead-letters?kind=email.sent", "Mark them, or write a note"),
        ("/dead-letters/groups/MARK", "Export them"))  # fmt: skip


async def main(folder: Path, wanted: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="sluice-screenshots-") as home:
        async with morning(Path(home)) as (system, url), async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=ARGUMENTS
            )
            names = await _names(system)
            for size, look in (
                (WIDE, "light"),
                (NARROW, "light"),
                (WIDE, "dark"),
                (NARROW, "dark"),
            ):
                await _pictures(chromium, url, folder, names, wanted, size, look)
            await chromium.close()


async def _names(system: System) -> dict[str, str]:
    async with system.store() as store:
        groups, _ = await Groups(store).page(GroupFilter(failure="schema"))
        async for letter in DeadLetters(store).find(Filter(fingerprint=groups[0].fingerprint)):
            return {
                "MARK": letter.fingerprint, "NUMBER": str(letter.number), "EVENT": letter.event_id,
            }  # fmt: skip
    raise RuntimeError("nothing died")


async def _pictures(
    chromium: Browser,
    url: str,
    folder: Path,
    names: dict[str, str],
    wanted: Sequence[str],
    size: dict[str, int],
    look: str,
) -> None:
    context = await chromium.new_context(base_url=url, viewport=size, color_scheme=look)
    page = await context.new_page()
    shown = [path for path in PAGES if look == "light" or path.endswith("*")]
    if not wanted:
        await page.goto("/login")
        await _take(page, folder / f"login-{size['width']}-{look}.png")
    await page.goto("/login")
    await page.get_by_label("Name").fill(NAME)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/")
    for path in shown:
        name = re.sub(r"[^a-zA-Z0-9]+", "-", path).strip("-") or "overview"
        if wanted and name not in wanted:
            continue
        await page.goto(_filled(path.removesuffix("*"), names))
        # What is loaded after the page: dry runs, previews, the chart's first points.
        await page.wait_for_timeout(6_000 if name == "overview" else 1_200)
        await _take(page, folder / f"{name}-{size['width']}-{look}.png")
    for path, button in ACTS if look == "light" and not wanted else ():
        await page.goto(_filled(path, names))
        await page.get_by_role("button", name=button).click()
        name = re.sub(r"\W+", "-", button.lower())
        await _take(page, folder / f"{name}-{size['width']}-{look}.png")
    await context.close()


def _filled(path: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        path = path.replace(name, value)
    return path


async def _take(page: Page, file: Path) -> None:
    await page.screenshot(path=file, full_page=True)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    print(f"{file.name}{f': {wide} px too wide' if wide > 0 else ''}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("which folder? python -m tests.screenshots FOLDER [PAGE...]")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target, sys.argv[2:]))
