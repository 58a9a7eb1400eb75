"""Whether a call to the gateway may pass: token, key and organization, role, then the sandbox.

platform.md sections 0 (headers), 1.11 (codes) and 3 (a working token is not enough).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from app.sandbox.control.befall import Handler, Plain, under_faults
from app.sandbox.control.calls import logged
from app.sandbox.control.faults import Hit
from app.sandbox.control.rule import ControlSide
from app.sandbox.gateway.errors import FLOW_SERVICE, Turned, api_error, gateway_error
from app.sandbox.gateway.view import View
from app.sandbox.platform.ims import Token
from app.sandbox.state import SANDBOX

_BEARER: Final = "Bearer "
Shown = Callable[[web.Request, View], Awaitable[web.StreamResponse]]


def behind_gateway(side: ControlSide, handler: Shown) -> Plain:
    """`handler` of the API `side`, behind faults, the gateway and the check of the sandbox."""

    async def enter(request: web.Request, hit: Hit) -> web.StreamResponse:
        try:
            _admit(request, hit, side)
            return await handler(request, View.of(request.app[SANDBOX], side, hit.rule))
        except Turned as turned:
            return turned.answer

    entered: Handler = enter
    return logged(under_faults(side, entered))


def _admit(request: web.Request, hit: Hit, side: ControlSide) -> None:
    sandbox = request.app[SANDBOX]
    token = _token(request, hit)
    key = request.headers.get("x-api-key")
    if not key:
        raise gateway_error("403000")
    if key != token.client.client_id:
        raise gateway_error("403003")
    org_id = request.headers.get("x-gw-ims-org-id")
    if not org_id:
        raise gateway_error("400003")
    if org_id != token.client.org_id:
        raise gateway_error("403025")
    rule = hit.rule
    if not token.client.entitled or (rule is not None and rule.no_role):
        text = "You do not have sufficient permissions to perform the operation."
        raise api_error(sandbox, side, 403, text)
    _check_sandbox(request, side)


def _token(request: web.Request, hit: Hit) -> Token:
    sandbox = request.app[SANDBOX]
    given = request.headers.get("Authorization", "")
    bearer = given[len(_BEARER) :] if given.startswith(_BEARER) else ""
    if not bearer:
        raise gateway_error("403010")
    token = sandbox.ims.live(bearer, sandbox.clock())
    active = hit.active
    expired = active is not None and active.rule.expired_token
    if token is None or (active is not None and expired and token.issued <= active.made):
        raise gateway_error("401013")
    return token


def _check_sandbox(request: web.Request, side: ControlSide) -> None:
    sandbox = request.app[SANDBOX]
    name = request.headers.get("x-sandbox-name", "")
    if name == sandbox.config.sandbox_name:
        return
    if not name:
        text = "The header x-sandbox-name is missing in the request."
    else:
        text = f"The sandbox with the name '{name}' could not be found."
    if side == "metrics":
        raise api_error(sandbox, side, 401, f"Sandbox validation error - {text}")
    if side in FLOW_SERVICE:
        raise api_error(sandbox, side, 404 if name else 400, text, _SANDBOX_CODES[bool(name)])
    raise api_error(sandbox, side, 404 if name else 400, text)


_SANDBOX_CODES: Final = {True: "2100-404", False: "2105-400"}
