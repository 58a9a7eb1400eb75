"""Which dead letters are meant, as addresses and forms say it.

Addresses are kept, in logs and in histories of browsers: so whom an event is about, and what is in
its body, is asked for by a form alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from aiohttp import web

from app.core.moments import moment_ms
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.choosing import Chosen, choose, choose_numbers
from app.store.users import Role
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.trail import note

# A field's name, here and in Filter (but for the times), and what it is called on a page.
FIELDS: Final = {
    "connection": "Connection",
    "failure": "Class",
    "code": "Code",
    "kind": "Kind",
    "campaign": "Campaign",
    "mapping": "Mapping version",
    "event_id": "Event id",
    "fingerprint": "Group",
    "text": "Error says",
    "since": "From",
    "until": "To",
    "person": "Person",
}
PERSONAL: Final = ("person", "body")
_MARK: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST: Final = 512
_JSON_MAX: Final = 10_000


def asked_in(given: Mapping[str, str]) -> dict[str, str]:
    """What is asked for, by field; "" = any. `run`: died again in this replay."""
    run = given.get("run", "")
    run = run if run.isascii() and run.isdigit() and len(run) < 16 else ""
    return {name: given.get(name, "").strip()[:_LONGEST] for name in FIELDS} | {"run": run}


async def given_by(request: web.Request) -> dict[str, str]:
    """What a page or its JSON twin is asked for, by address or form.

    Raises HTTPBadRequest, and as `may_ask`.
    """
    if request.method == "GET":
        given = dict(request.query)
    elif request.path.startswith("/api/"):
        given = await _json(request)
    else:
        given = await read_form(request)
    await may_ask(request, given)
    return given


def is_personal(given: Mapping[str, str]) -> bool:
    """Whether it must not stand in an address."""
    return any(given.get(name, "").strip() for name in PERSONAL)


def address_of(path: str, given: Mapping[str, str], *more: str) -> str:
    """The page's address with what was asked for, less what is personal. `more`: further fields."""
    asked = asked_in(given) | {name: given.get(name, "") for name in more}
    query = query_of({name: each for name, each in asked.items() if name not in PERSONAL})
    return f"{path}?{query}" if query else path


def moved(request: web.Request, given: Mapping[str, str], *more: str) -> web.Response | None:
    """For a form in which nothing is personal: on to the address that says the same."""
    if request.method == "GET" or is_personal(given):
        return None
    return look.to(address_of(request.path, given, *more))


def filter_of(asked: Mapping[str, str]) -> Filter:
    """The letters that are meant. Raises HTTPBadRequest for a time that is none."""
    since, until = (when(asked, name) for name in ("since", "until"))
    values: dict[str, Any] = {
        name: value or None for name, value in asked.items() if name not in ("since", "until")
    }
    values["run"] = int(asked["run"]) if asked["run"] else None
    return Filter(**values, died_after_ms=since, died_before_ms=until)


def when(asked: Mapping[str, str], name: str) -> int | None:
    """A time in ms. Raises HTTPBadRequest."""
    try:
        return moment_ms(asked[name]) if asked[name] else None
    except ValueError as fault:
        raise web.HTTPBadRequest(text=f"{FIELDS[name]}: {fault}.") from None


def query_of(asked: Mapping[str, str], **more: str) -> str:
    """The same as the end of an address, without what is empty."""
    return urlencode({name: value for name, value in {**asked, **more}.items() if value})


async def may_ask(request: web.Request, given: Mapping[str, str]) -> None:
    """Whom an event is about, and what is in its `body`, is personal data: operators may ask, by a
    form, and that is written down; for what is not. Raises HTTPForbidden, HTTPBadRequest,
    StoreUnavailable."""
    if not is_personal(given):
        return
    if not request[WHO].role.allows(Role.OPERATOR):
        raise web.HTTPForbidden(
            text="To ask for a person's events, or search in bodies, you need the role operator."
        )
    if request.method == "GET":
        raise web.HTTPBadRequest(
            text="A person, or what a body holds, is asked for by a form and not in an address: "
            "addresses are kept in logs and histories. Programs POST it: GET /api/v1 says where."
        )
    await note(request, "dead-letters.search" if given.get("body") else "dead-letters.person")


async def chosen_by(request: web.Request, given: Mapping[str, str], most: int) -> Chosen:
    """The letters that a form means: `number`, or what its filter finds up to `up_to`. Raises
    HTTPNotFound, HTTPBadRequest, HTTPForbidden, StoreUnavailable."""
    letters = DeadLetters(request.app[CONSOLE].redis)
    if given.get("number"):
        return await choose_numbers(letters, [number_in(given["number"])])
    asked, up_to = asked_in(given), given.get("up_to", "")
    await may_ask(request, asked)
    plain = up_to.isascii() and up_to.isdigit() and len(up_to) < 16
    return await choose(letters, filter_of(asked), int(up_to) if plain else 0, most)


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


async def _json(request: web.Request) -> dict[str, str]:
    content = await request.read()
    try:
        given = orjson.loads(content[:_JSON_MAX])
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise web.HTTPBadRequest(text='Send an object of texts, such as {"person": "a@b.example"}.')
    return given
