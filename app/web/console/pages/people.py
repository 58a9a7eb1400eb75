"""Users, for admins: who may what; change a role, log somebody out everywhere.

Users are made, and passwords set for others, with `sluice users` on the machine alone.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from app.core.moments import moment
from app.store.users import Role
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.trail import note


async def page(request: web.Request) -> web.Response:
    """GET /users."""
    console = request.app[CONSOLE]
    panel = await console.panels.show("users", lambda: _documents(console))
    return look.render(request, "users.html", {"panel": panel, "roles": list(Role)})


async def document(request: web.Request) -> web.Response:
    """GET /api/users."""
    return look.json_response(await _documents(request.app[CONSOLE]))


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """POST /users/end-sessions: name."""
    console = request.app[CONSOLE]
    name = (await read_form(request)).get("name", "")
    await _must_exist(console, name)
    await note(request, "users.logout", name)
    await console.users.end_sessions(name)
    await console.tokens.revoke(name)
    return look.after(request, "/users", f"{name} is logged out everywhere; tokens are revoked.")


async def set_role(request: web.Request) -> web.StreamResponse:
    """POST /users/role: name, role. One's own cannot be changed: some admin must be left."""
    console, who = request.app[CONSOLE], request[WHO]
    given = await read_form(request)
    name = given.get("name", "")
    try:
        role = Role(given.get("role", ""))
    except ValueError:
        raise web.HTTPBadRequest(text="There is no such role.") from None
    if name == who.name:
        raise web.HTTPBadRequest(text="Your own role can only be changed by another admin.")
    await _must_exist(console, name)
    await note(request, "users.role", name, role=role.value)
    await console.users.set_role(name, role)
    await console.tokens.revoke_above(name, role)
    return look.after(request, "/users", f"{name} is {role.value} now, and logged out everywhere.")


async def _must_exist(console: Console, name: str) -> None:
    if await console.users.get(name) is None:
        raise web.HTTPNotFound(text="There is no such user.")


async def _documents(console: Console) -> list[dict[str, Any]]:
    return [
        {"name": user.name, "role": user.role.value, "made": moment(user.made_ms)}
        for user in await console.users.all()
    ]
