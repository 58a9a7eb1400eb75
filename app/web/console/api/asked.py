"""What a program asks for: read from the address or a JSON body, bounded, every fault in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from app.core.errors import ConfigError
from app.operations.actor import Actor
from app.operations.here import Here
from app.operations.trying import Surroundings
from app.settings.faults import close_match
from app.settings.mapping_sets import Configuration
from app.store.dead_letters import Filter
from app.store.users import Role
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.trail import note

MOST: Final = 1_000
PAGE: Final = 50
TEXT_MAX: Final = 512
# Whoever waits for a page waits no longer.
SECONDS: Final = 3.0

_NUMBERS: Final = ("died_after_ms", "died_before_ms", "run")
_FIELDS: Final = tuple(each.name for each in dataclasses.fields(Filter))
_LARGEST: Final = 2**53


def here(request: web.Request) -> Here:
    """The operations, under the name of who asks."""
    console, who = request.app[CONSOLE], request[WHO]

    def read() -> Configuration:
        return console.configuration()

    return Here(console.redis, Actor(who.acting, who.origin), Surroundings(read))


def wrong(text: str, status: int = 400) -> web.HTTPException:
    """What was asked for is not so."""
    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest, 404: web.HTTPNotFound, 409: web.HTTPConflict,
        422: web.HTTPUnprocessableEntity,
    }  # fmt: skip
    return kinds[status](text=text)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent; {} for none. Raises HTTPBadRequest."""
    content = await request.read()
    try:
        found = orjson.loads(content) if content.strip() else {}
    except orjson.JSONDecodeError as fault:
        raise wrong(f"The body is no JSON: {fault.msg}.") from None
    if not isinstance(found, dict):
        raise wrong("Send a JSON object.")
    return found


def text_in(given: Mapping[str, Any], name: str, most: int = TEXT_MAX) -> str:
    """ "" when it is absent. Raises HTTPBadRequest."""
    found = given.get(name, "")
    if not isinstance(found, str) or len(found) > most:
        raise wrong(f"{name}: a text of at most {most:,} characters.")
    return found


def number_in(given: Mapping[str, Any], name: str, default: int, most: int = _LARGEST) -> int:
    """A whole number from 0 on, also as digits. Raises HTTPBadRequest."""
    found = given.get(name, default)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 17:
        found = int(found)
    if type(found) is not int or not 0 <= found <= most:
        raise wrong(f"{name}: a whole number from 0 to {most:,}.")
    return found


def rate_in(given: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    """None when it is absent. Raises HTTPBadRequest."""
    found = given.get(name)
    if found is None:
        return None
    if type(found) not in (int, float) or not least <= found <= most:
        raise wrong(f"{name}: a number from {least:g} to {most:,.0f}.")
    return float(found)


def numbers_in(given: Mapping[str, Any], name: str = "numbers") -> list[int]:
    """Numbers of letters, also as digits and commas. Raises HTTPBadRequest."""
    found = given.get(name)
    if isinstance(found, str):
        parts = found.split(",")
        found = [int(x) if x.isascii() and x.isdigit() and len(x) < 17 else None for x in parts]
    good = isinstance(found, list) and 0 < len(found) <= MOST
    if not good or not all(type(each) is int and 0 <= each <= _LARGEST for each in found or ()):
        raise wrong(f"{name}: a list of 1 to {MOST:,} numbers of dead letters.")
    return list(found or ())


def limit_in(given: Mapping[str, Any], most: int = MOST) -> int:
    """How many are wanted. Raises HTTPBadRequest."""
    return max(1, number_in(given, "limit", min(PAGE, most), most))


def filter_in(given: Mapping[str, Any], others: tuple[str, ...] = ()) -> Filter:
    """Filter's fields; `others` are not its business. Raises HTTPBadRequest."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in others:
            continue
        if name not in _FIELDS:
            raise wrong(f"{name}: there is no such field{close_match(name, _FIELDS)}.")
        if value is not None:
            is_number = name in _NUMBERS
            values[name] = number_in(given, name, 0) if is_number else text_in(given, name)
    return Filter(**values)


def wanted_in(given: Mapping[str, Any]) -> Filter:
    """The filter of a body: `wanted`, an object; {} is all. Raises HTTPBadRequest."""
    found = given.get("wanted")
    if not isinstance(found, dict):
        raise wrong("wanted: say which, an object of filters; {} is all.")
    return filter_in(found)


async def may_name(request: web.Request, wanted: Filter) -> None:
    """Whom events are about is personal data: operators may ask, and that is written down."""
    if wanted.person is None:
        return
    if request.method == "GET":
        raise wrong("person: send it in a POST to .../list, where no log of addresses keeps it.")
    if not request[WHO].role.allows(Role.OPERATOR):
        raise web.HTTPForbidden(text="To ask for a person's events, you need the role operator.")
    await note(request, "dead-letters.person")


def number_of(request: web.Request, what: str) -> int:
    """The number in the address. Raises HTTPNotFound."""
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise wrong(f"There is no such {what}.", 404)
    return int(text)


def config_fault(fault: ConfigError) -> web.HTTPException:
    """The console's own configuration is in the way."""
    return wrong("The console's configuration: " + "; ".join(fault.faults), 409)
