"""The console as one aiohttp application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import aiohttp_jinja2
import jinja2
import orjson
import structlog
from aiohttp import web

from app.core.errors import ConfigError, StoreUnavailable
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.door import DOOR, WHO, Door
from app.web.console.guard import guarded
from app.web.console.headers import add_headers
from app.web.console.pages.replay import FREEZING, end_freezing
from app.web.console.panels import explain
from app.web.console.routes import FORM_BYTES, ROUTES, Handler
from app.web.console.stream import STREAMS, Streams
from app.web.console.uploads import UPLOADS, Uploads

log = structlog.get_logger(__name__)


def make_app(console: Console) -> web.Application:
    """The application. Its parts are opened and closed by who made them."""
    app = web.Application(client_max_size=FORM_BYTES, middlewares=[_in_words])
    app[CONSOLE] = console
    app[DOOR] = Door()
    app[STREAMS] = Streams()
    app[FREEZING] = set()
    app[UPLOADS] = uploads = Uploads()
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("app.web.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=look.FILTERS,
        default_helpers=False,
        # Templates change with a release alone.
        auto_reload=False,
    )
    for route in ROUTES:
        app.router.add_route(route.method, route.path, guarded(route))
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.on_shutdown.append(end_freezing)
    app.on_shutdown.append(_end_acts)
    app.on_cleanup.append(uploads.close)
    app.cleanup_ctx.append(_sampling)
    return app


async def _sampling(app: web.Application) -> AsyncIterator[None]:
    async for _ in app[CONSOLE].live.run():
        yield


async def _end_streams(app: web.Application) -> None:
    await app[CONSOLE].live.stop()


async def _end_acts(app: web.Application) -> None:
    await app[CONSOLE].both_ends.close()


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal and fault as a page, or below /api/ as JSON, that says what to do."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        headers = {
            name: refusal.headers[name]
            for name in ("WWW-Authenticate", "HX-Redirect", "Allow", "Retry-After")
            if name in refusal.headers
        }
        text = refusal.text if refusal.status not in (404, 405) or not _standard(refusal) else ""
        text = text or _SAID.get(refusal.status, "")
        return await _answer(request, refusal.status, text, headers)
    except (StoreUnavailable, ConfigError) as fault:
        return await _answer(request, 503, explain(fault), {"Retry-After": "5"})
    except Exception as fault:
        return await _answer(request, 500, explain(fault), {})


_SAID: Final = {404: "There is no such page.", 405: "This address takes no such request."}


def _standard(refusal: web.HTTPException) -> bool:
    return refusal.text == f"{refusal.status}: {refusal.reason}"


async def _answer(
    request: web.Request, status: int, text: str, headers: dict[str, str]
) -> web.StreamResponse:
    if request.path.startswith("/api/"):
        body = orjson.dumps({"error": text})
        return web.Response(
            body=body, status=status, content_type="application/json", headers=headers
        )
    # The guard has not seen what the router refused, and not let in what it refused itself.
    if WHO not in request and (who := await request.app[DOOR].for_frame(request)) is not None:
        request[WHO] = who
    response = look.render(request, "refused.html", {"status": status, "text": text}, status=status)
    response.headers.update(headers)
    return response
