"""What an admin does at the console to set both ends up, by plain forms."""

from __future__ import annotations

import re

from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET, SIGNING_KEY
from app.web.console.both_ends.work import State, Work
from app.web.console.config import Console
from tests.web.console.conftest import Browser, field_of
from tests.web.console.vendors import Vendors

SECRETS = (APP_KEY, IMS_CLIENT_SECRET, SIGNING_KEY)


async def write_setup(admin: Browser, ends: Vendors, **changes: str) -> None:
    answer = await admin.post("/connect", {**ends.answers(**changes), "act": "save"})
    assert answer.status == 303, re.findall(r'class="verdict bad".*', await answer.text())
    assert answer.headers["Location"] == "/connections/acme/plan"


async def until(console: Console, *states: State) -> Work:
    """The act that is under way, once it is in one of those states."""
    work = console.both_ends.work("acme")
    assert work is not None
    while work.state not in states:
        assert not work.state.over, f"{work.state}: {work.fault}"
        await work.after(work.version)
    return work


async def begin(admin: Browser) -> Work:
    """From a setup to the moment where the signing key is asked for."""
    _, page = await admin.get("/connections/acme/plan")
    expected = field_of(page, "expected")
    answer = await admin.post("/connections/acme/apply", {"expected": expected})
    assert answer.headers["Location"] == "/connections/acme/work"
    return await until(admin.console, State.ASKING)


async def apply(admin: Browser) -> Work:
    """From a setup to the end."""
    await begin(admin)
    answer = await admin.post("/connections/acme/key", {"key": SIGNING_KEY})
    assert answer.status == 303
    return await until(admin.console, State.DONE)


def text_of(page: str) -> str:
    """What people read of its main part."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"<[^>]*>", " ", main)
