"""How pages are put together: the frame around each, and how numbers and times are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import aiohttp_jinja2
import orjson
from aiohttp import web

from app.core.moments import hour_text, moment, moment_ms, span_text
from app.store.users import Role
from app.web.console import static
from app.web.console.config import CONSOLE
from app.web.console.door import WHO, set_cookie

THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "sluice-theme"
# A word of what was done, shown once after the redirect.
DONE_COOKIE: Final = "sluice-done"

_SHORT_CHARS: Final = 200


class Place(NamedTuple):
    """An entry of the navigation. `key`: after g, on the keyboard."""

    path: str
    name: str
    key: str
    wants: Role


PLACES: Final = (
    Place("/", "Overview", "o", Role.VIEWER),
    Place("/dead-letters", "Dead letters", "d", Role.VIEWER),
    Place("/replays", "Replays", "r", Role.VIEWER),
    Place("/recipes", "Recipes", "p", Role.VIEWER),
    Place("/events", "Events", "e", Role.VIEWER),
    Place("/tail", "Live tail", "t", Role.VIEWER),
    Place("/ledger", "Ledger", "l", Role.VIEWER),
    Place("/lanes", "Lanes", "n", Role.VIEWER),
    Place("/connections", "Connections", "c", Role.VIEWER),
    Place("/mappings", "Mapping sets", "m", Role.VIEWER),
    Place("/audit", "Audit", "a", Role.OPERATOR),
    Place("/users", "Users", "u", Role.ADMIN),
)


def render(
    request: web.Request, template: str, context: Mapping[str, Any], *, status: int = 200
) -> web.Response:
    """A page in its frame."""
    response = aiohttp_jinja2.render_template(
        template, request, {**_frame(request), **context}, status=status
    )
    if DONE_COOKIE in request.cookies:
        response.del_cookie(DONE_COOKIE, path="/")
    return response


def pushed(request: web.Request, response: web.Response, address: str) -> web.Response:
    """The answer to a form that htmx sent: the browser's address says what is shown, as far as it
    may stand there."""
    if request.headers.get("HX-Request") == "true":
        response.headers["HX-Push-Url"] = address
    return response


def json_response(value: Any, status: int = 200) -> web.Response:
    """The JSON twin of a page."""
    return web.Response(
        body=orjson.dumps(value, default=_plain), status=status, content_type="application/json"
    )


def to(path: str) -> web.Response:
    """On to another page, after a form."""
    return web.Response(status=303, headers={"Location": path})


def after(request: web.Request, path: str, done: str) -> web.Response:
    """The same, and there `done` is shown once."""
    response = to(path)
    # Hex, since a cookie takes few characters.
    set_cookie(response, request.app[CONSOLE], DONE_COOKIE, done[:200].encode().hex())
    return response


def _frame(request: web.Request) -> dict[str, Any]:
    who = request.get(WHO)
    theme = request.cookies.get(THEME_COOKIE, "auto")
    section = "/" + request.path.split("/")[1]
    return {
        "who": who,
        "places": [place for place in PLACES if who and who.role.allows(place.wants)],
        "here": section,
        "theme": theme if theme in THEMES else "auto",
        "themes": THEMES,
        "done": _done(request) if who else "",
        "static": static.address,
        "operator": bool(who and who.role.allows(Role.OPERATOR)),
        "admin": bool(who and who.role.allows(Role.ADMIN)),
    }


def _done(request: web.Request) -> str:
    try:
        return bytes.fromhex(request.cookies.get(DONE_COOKIE, "")).decode()
    except ValueError:
        return ""


def count(value: float | None) -> str:
    """A whole number, in groups of three."""
    return "-" if value is None else f"{value:,.0f}"


def rate(value: float) -> str:
    """Events per second, as precise as it matters."""
    return f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes, in the unit that fits."""
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def pretty(content: bytes | None) -> str:
    """JSON indented; whatever is none, as it is."""
    if content is None:
        return ""
    try:
        return orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "backslashreplace")


def local_time(text: str) -> str:
    """A time as a field of type datetime-local has it; "" for what is none."""
    try:
        told = moment(moment_ms(text)).replace(" ", "T")
    except ValueError:
        return ""
    return told.removesuffix(":00")


def reason(text: str) -> str:
    """Why a lane is held back, `class:detail`, as people write it."""
    kind, _, detail = text.partition(":")
    return f"{kind}: {detail}" if detail else kind


def short(value: Any) -> str:
    """A JSON value in a line."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHORT_CHARS else f"{text[:_SHORT_CHARS]}…"


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "count": count,
    "rate": rate,
    "size": size,
    "moment": moment,
    "hour": hour_text,
    "span": span_text,
    "pretty": pretty,
    "reason": reason,
    "short": short,
    "local_time": local_time,
}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    raise TypeError(f"no JSON for {type(value).__name__}")
