"""Whether a request may come in at all, before its messages are looked at.

Order: caller's address, inlet, request rate, token; then size, type and JSON of the body.
"""

from __future__ import annotations

from typing import Any, Final, Self

import orjson
from aiohttp import web

from app.sandbox.config import Inlet
from app.sandbox.control.faults import Hit
from app.sandbox.platform.answers import Refusal, problem, unauthorized
from app.sandbox.state import SANDBOX

_BEARER: Final = "Bearer "
FLOW_ID: Final = "x-adobe-flow-id"


class Denied(Exception):
    """The whole request is refused, with this answer. `body` None: an empty one."""

    def __init__(
        self, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}

    @classmethod
    def problem(cls, refusal: Refusal) -> Self:
        return cls(refusal.status, problem(refusal))

    @classmethod
    def too_many(cls, retry_after_s: int | None) -> Self:
        """429; no `Retry-After` is documented, one may be configured (section 2.6)."""
        refusal = Refusal(429, "Too many requests", title="Too Many Requests")
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return cls(429, problem(refusal), headers)

    def response(self) -> web.Response:
        if self.body is None:
            return web.Response(status=self.status, headers=self.headers)
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.body),
            headers=self.headers,
            content_type="application/json",
        )


def admit(request: web.Request, hit: Hit, batch: bool = False) -> Inlet:
    """The inlet that the request may use. Counts the request. Raises Denied."""
    sandbox = request.app[SANDBOX]
    allowed = sandbox.config.allowed_addresses
    if allowed is not None and request.remote not in allowed:
        raise Denied(403, None)
    inlet_id = request.match_info["inlet"]
    inlet = sandbox.inlets.get(inlet_id)
    if inlet is None:
        # Not documented (section 8): ours.
        raise Denied.problem(Refusal(404, f"inletId: [{inlet_id}] Inlet is unknown", "Not Found"))
    sandbox.received.inlet(inlet.id).requests += 1
    if not sandbox.limits.request(inlet.org_id, sandbox.clock()):
        raise Denied.too_many(sandbox.config.retry_after_s)
    if inlet.authenticated:
        _authenticate(request, hit, inlet, batch)
    return inlet


async def content_of(request: web.Request) -> Any:
    """The parsed body. Raises Denied: 413 over the limit, 400 when it is no JSON."""
    body = await body_of(request)
    if request.content_type != "application/json":
        raise Denied.problem(Refusal(400, "Content-Type must be application/json"))
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Denied.problem(Refusal(400, "The body is not valid JSON")) from None


async def body_of(request: web.Request) -> bytes:
    """The raw body. Raises Denied: 413 over the limit, 400 when it is compressed."""
    too_large = Denied.problem(Refusal(413, "Request body is over 1 MB", "Payload Too Large"))
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    if len(body) > request.app[SANDBOX].config.body_limit:
        raise too_large
    # That real inlets take gzip is unverified (section 2.2): a strict stand-in does not.
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Denied.problem(Refusal(400, "Content-Encoding is not supported"))
    return body


def require_flow_id(request: web.Request, inlet: Inlet) -> Inlet:
    """The inlet with the flow that is fed. Raw data needs its id, in the header or the query
    (section 2.2). Raises Denied."""
    if inlet.mode == "xdm":
        return inlet
    given = request.headers.get(FLOW_ID) or request.query.get(FLOW_ID)
    fed = request.app[SANDBOX].inlets.of_flow(inlet, given)
    if given and given == fed.flow_id:
        return fed
    what = "is missing" if not given else "is unknown"
    # Not documented (section 8): ours.
    raise Denied.problem(Refusal(400, f"inletId: [{inlet.id}] The flow id {what}"))


def _authenticate(request: web.Request, hit: Hit, inlet: Inlet, batch: bool) -> None:
    sandbox = request.app[SANDBOX]
    given = request.headers.get("Authorization", "")
    bearer = given[len(_BEARER) :] if given.startswith(_BEARER) else ""
    if not bearer:
        raise _unauthorized(401, inlet, "Ims service token is empty")
    token = sandbox.ims.live(bearer, sandbox.clock())
    if token is None or _expired_on_demand(hit, token.issued):
        # The two pages disagree: 401 for single messages, 403 for batches (section 2.6).
        raise _unauthorized(403 if batch else 401, inlet, "Ims service token is not valid")
    if token.client.org_id != inlet.org_id or not token.client.entitled:
        raise _unauthorized(403, inlet, "Account is not entitled to publish to this inlet")


def _expired_on_demand(hit: Hit, issued: float) -> bool:
    active = hit.active
    return active is not None and active.rule.expired_token and issued <= active.made


def _unauthorized(status: int, inlet: Inlet, text: str) -> Denied:
    return Denied(status, unauthorized(status, f"[{inlet.id}] {text}"))
