"""Which dead letters are meant, as addresses and forms say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from app.store.dead_letters import Filter
from app.store.users import Role
from app.web.console.door import WHO
from app.web.console.trail import note

# A field's name, here and in Filter, and what it is called on a page.
FIELDS: Final = {
    "connection": "Connection",
    "failure": "Class",
    "code": "Code",
    "kind": "Kind",
    "campaign": "Campaign",
    "fingerprint": "Group",
    "text": "Error says",
    "person": "Person",
}
_MARK: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST: Final = 512


def asked_in(given: Mapping[str, str]) -> dict[str, str]:
    """What is asked for, by field; "" = any. `run`: died again in this replay."""
    run = given.get("run", "")
    run = run if run.isascii() and run.isdigit() and len(run) < 16 else ""
    return {name: given.get(name, "").strip()[:_LONGEST] for name in FIELDS} | {"run": run}


def filter_of(asked: Mapping[str, str]) -> Filter:
    """The letters that are meant."""
    values: dict[str, Any] = {name: value or None for name, value in asked.items()}
    return Filter(**values | {"run": int(asked["run"]) if asked["run"] else None})


def query_of(asked: Mapping[str, str], **more: str) -> str:
    """The same as the end of an address, without what is empty."""
    return urlencode({name: value for name, value in {**asked, **more}.items() if value})


async def may_ask(request: web.Request, asked: Mapping[str, str], body: str = "") -> None:
    """Whom an event is about, and what is in its `body`, is personal data: operators may ask, and
    that is written down; for what is not. Raises HTTPForbidden, StoreUnavailable."""
    if not asked["person"] and not body:
        return
    if not request[WHO].role.allows(Role.OPERATOR):
        raise web.HTTPForbidden(
            text="To ask for a person's events, or search in bodies, you need the role operator."
        )
    await note(request, "dead-letters.search" if body else "dead-letters.person")


def mark_in(text: str) -> str:
    """A fingerprint. Raises HTTPNotFound for what is none."""
    if not _MARK.fullmatch(text):
        raise web.HTTPNotFound(text="There is no such group.")
    return text


def number_in(text: str) -> int:
    """A dead letter's number. Raises HTTPNotFound for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound(text="There is no such dead letter.")
    return int(text)
