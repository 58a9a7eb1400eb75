"""Every address of the console, and who may call it. There are no others: the router is filled
from this table alone, and each entry passes the guard (guard.py) before its handler is called."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.store.users import Role
from app.web.console import stream
from app.web.console.api.table import API_ROUTES
from app.web.console.pages import (
    account,
    audit,
    connections,
    event_people,
    events,
    lanes,
    ledger,
    login,
    mapping_preview,
    mappings,
    overview,
    people,
    replay,
    replays,
    sso,
    tail,
    tokens,
)
from app.web.console.pages.both_ends import acting, destroying, one, planning, wizard, working
from app.web.console.pages.dead_letters import (
    cause,
    causes,
    discarding,
    editing,
    exporting,
    importing,
    letter,
    letters,
    marking,
)
from app.web.console.pages.recipes import reading, running, trying, writing
from app.web.console.route import FORM_BYTES, Handler, Route
from app.web.console.static import serve

__all__ = ["FORM_BYTES", "ROUTES", "Handler", "Route"]

EDIT_BYTES: Final = 3 * editing.TEXT_MAX


async def healthz(_request: web.Request) -> web.Response:
    """The process runs."""
    return web.Response(text="ok\n")


_VIEWER, _OPERATOR, _ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN

ROUTES: Final = (
    Route("GET", "/healthz", None, healthz),
    Route("GET", "/static/{file}", None, serve),
    Route("GET", "/login", None, login.form),
    Route("POST", "/login", None, login.enter),
    Route("GET", "/login/oidc", None, sso.begin),
    Route("GET", "/login/oidc/back", None, sso.back),
    Route("POST", "/logout", _VIEWER, login.leave),
    Route("GET", "/", _VIEWER, overview.page),
    Route("GET", "/live", _VIEWER, stream.live),
    Route("GET", "/ledger", _VIEWER, ledger.page),
    Route("GET", "/lanes", _VIEWER, lanes.page),
    Route("POST", "/lanes/pause", _OPERATOR, lanes.pause),
    Route("POST", "/lanes/resume", _OPERATOR, lanes.resume),
    Route("GET", "/connections", _VIEWER, connections.page),
    Route("GET", "/connections/{name}", _VIEWER, one.page),
    Route("GET", "/connections/{name}/plan", _VIEWER, planning.page),
    Route("GET", "/connections/{name}/work", _VIEWER, working.page),
    Route("GET", "/connections/{name}/work/live", _VIEWER, working.live),
    Route("POST", "/connections/{name}/apply", _ADMIN, planning.apply),
    Route("POST", "/connections/{name}/key", _ADMIN, working.give_key),
    Route("POST", "/connections/{name}/enable", _OPERATOR, acting.enable),
    Route("POST", "/connections/{name}/disable", _OPERATOR, acting.disable),
    Route("POST", "/connections/{name}/test", _OPERATOR, acting.test),
    Route("GET", "/connections/{name}/destroy", _ADMIN, destroying.page),
    Route("POST", "/connections/{name}/destroy", _ADMIN, destroying.destroy),
    Route("GET", "/connect", _ADMIN, wizard.page),
    Route("POST", "/connect", _ADMIN, wizard.save),
    Route("POST", "/connect/check", _ADMIN, wizard.check),
    Route("GET", "/events", _VIEWER, events.page),
    Route("POST", "/events/person", _OPERATOR, event_people.page),
    Route("GET", "/tail", _VIEWER, tail.page),
    Route("GET", "/tail/body", _OPERATOR, tail.body_page),
    Route("GET", "/mappings", _VIEWER, mappings.page),
    Route("GET", "/mappings/{name}", _VIEWER, mappings.one_page),
    Route("GET", "/mappings/{name}/preview", _VIEWER, mapping_preview.page),
    Route("GET", "/mappings/{name}/preview/values", _OPERATOR, mapping_preview.values),
    Route("GET", "/dead-letters", _VIEWER, causes.page),
    Route("POST", "/dead-letters", _OPERATOR, causes.page),
    Route("GET", "/dead-letters/list", _VIEWER, letters.page),
    Route("POST", "/dead-letters/list", _OPERATOR, letters.page),
    Route("GET", "/dead-letters/discard", _OPERATOR, discarding.page),
    Route("POST", "/dead-letters/discard", _OPERATOR, discarding.discard),
    Route("POST", "/dead-letters/mark", _OPERATOR, marking.mark),
    Route("POST", "/dead-letters/export", _OPERATOR, exporting.export),
    Route("GET", "/dead-letters/import", _OPERATOR, importing.page),
    Route("POST", "/dead-letters/import", _OPERATOR, importing.look_through, importing.FORM_BYTES),
    Route("POST", "/dead-letters/import/take", _OPERATOR, importing.take),
    Route("GET", "/dead-letters/groups/{mark}", _VIEWER, cause.page),
    Route("POST", "/dead-letters/groups/{mark}/note", _OPERATOR, cause.write),
    Route("POST", "/dead-letters/groups/{mark}/turn", _OPERATOR, cause.turn),
    Route("GET", "/dead-letters/{number}", _VIEWER, letter.page),
    Route("GET", "/dead-letters/{number}/edit", _OPERATOR, editing.page),
    Route("POST", "/dead-letters/{number}/edit", _OPERATOR, editing.save, EDIT_BYTES),
    Route("POST", "/dead-letters/{number}/edit/check", _OPERATOR, editing.check, EDIT_BYTES),
    Route("POST", "/dead-letters/{number}/edit/undo", _OPERATOR, editing.undo),
    Route("POST", "/dead-letters/{number}/replay", _OPERATOR, letter.replay),
    Route("GET", "/replays", _VIEWER, replays.page),
    Route("POST", "/replays/freeze", _OPERATOR, replay.freeze),
    Route("GET", "/replays/{number}", _VIEWER, replay.page),
    Route("GET", "/replays/{number}/trial", _OPERATOR, replay.trial),
    Route("POST", "/replays/{number}/start", _OPERATOR, replay.start),
    Route("POST", "/replays/turn", _OPERATOR, replays.turn),
    Route("GET", "/recipes", _VIEWER, reading.page),
    Route("GET", "/recipes/_new", _OPERATOR, writing.new_page),
    Route("POST", "/recipes/_check", _OPERATOR, writing.check, writing.FORM_BYTES),
    Route("POST", "/recipes/_save", _OPERATOR, writing.save, writing.FORM_BYTES),
    Route("GET", "/recipes/{name}", _VIEWER, reading.one_page),
    Route("GET", "/recipes/{name}/edit", _OPERATOR, writing.edit_page),
    Route("GET", "/recipes/{name}/trial", _OPERATOR, trying.page),
    Route("POST", "/recipes/{name}/freeze", _OPERATOR, running.freeze),
    Route("POST", "/recipes/{name}/delete", _OPERATOR, writing.delete),
    Route("GET", "/audit", _OPERATOR, audit.page),
    Route("GET", "/users", _ADMIN, people.page),
    Route("POST", "/users/end-sessions", _ADMIN, people.end_sessions),
    Route("POST", "/users/role", _ADMIN, people.set_role),
    Route("GET", "/account", _VIEWER, account.page),
    Route("POST", "/account/password", _VIEWER, account.set_password),
    Route("POST", "/account/end-sessions", _VIEWER, account.end_sessions),
    Route("POST", "/account/theme", _VIEWER, account.set_theme),
    Route("POST", "/account/tokens", _VIEWER, tokens.make),
    Route("POST", "/account/tokens/revoke", _VIEWER, tokens.revoke),
    Route("GET", "/api/overview", _VIEWER, overview.document),
    Route("GET", "/api/ledger", _VIEWER, ledger.document),
    Route("GET", "/api/lanes", _VIEWER, lanes.document),
    Route("POST", "/api/lanes/{name}/pause", _OPERATOR, lanes.pause_document),
    Route("POST", "/api/lanes/{name}/resume", _OPERATOR, lanes.resume_document),
    Route("GET", "/api/connections", _VIEWER, connections.document),
    Route("GET", "/api/connections/{name}", _VIEWER, one.document),
    Route("GET", "/api/events/{event_id:.+}", _VIEWER, events.document),
    Route("GET", "/api/tail", _VIEWER, tail.document),
    Route("GET", "/api/mappings", _VIEWER, mappings.document),
    Route("GET", "/api/mappings/{name}", _VIEWER, mappings.one_document),
    Route("GET", "/api/dead-letters", _VIEWER, letters.document),
    Route("GET", "/api/dead-letters/groups", _VIEWER, causes.document),
    Route("POST", "/api/dead-letters/groups", _OPERATOR, causes.document),
    Route("GET", "/api/dead-letters/groups/{mark}", _VIEWER, cause.document),
    # The body of an event is somebody's personal data; the page masks it for viewers.
    Route("GET", "/api/dead-letters/{number}", _OPERATOR, letter.document),
    Route("GET", "/api/replays", _VIEWER, replays.document),
    Route("GET", "/api/replays/{number}", _VIEWER, replay.document),
    Route("GET", "/api/recipes", _VIEWER, reading.document),
    Route("GET", "/api/recipes/{name}", _VIEWER, reading.one_document),
    Route("GET", "/api/audit", _OPERATOR, audit.document),
    Route("GET", "/api/users", _ADMIN, people.document),
    *API_ROUTES,
)
