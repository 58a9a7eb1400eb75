"""Whether everybody can use a page: axe-core's look at it, and ours at its width."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

_AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"


def hindrances(page: Page, path: str) -> list[str]:
    """What axe finds serious at `path`, and whether the page is wider than the screen."""
    page.goto(path)
    # Not by a tag: the policy lets no script in that is not ours.
    page.evaluate(_AXE.read_text())
    told = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")
    found = [
        f"{path}: {each['id']}: {node['html'][:200]}"
        for each in told["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    width = page.evaluate("document.documentElement.scrollWidth")
    if page.viewport_size and width > page.viewport_size["width"]:
        found.append(f"{path}: {width} px wide")
    return found
