"""What operators do to a connection that is set up: on, off, a test event."""

from __future__ import annotations

from aiohttp import web

from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.both_ends.rows import setup_in
from app.web.console.trail import note


async def enable(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/enable: dataflow and webhook."""
    console, name = request.app[CONSOLE], await setup_in(request)
    await note(request, "connection.enable", name)
    console.both_ends.switch(name, request[WHO].name, enabled=True, webhook=True)
    return look.to(f"/connections/{name}/work")


async def disable(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/disable: webhook, if Customer.io is to stop sending, too."""
    console, name = request.app[CONSOLE], await setup_in(request)
    webhook = bool((await read_form(request)).get("webhook"))
    await note(request, "connection.disable", name, webhook=webhook)
    console.both_ends.switch(name, request[WHO].name, enabled=False, webhook=webhook)
    return look.to(f"/connections/{name}/work")


async def test(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/test."""
    console, name = request.app[CONSOLE], await setup_in(request)
    await note(request, "connection.test", name)
    console.both_ends.test(name, request[WHO].name)
    return look.to(f"/connections/{name}/work")
