"""IMS: tokens for server-to-server credentials (platform.md section 3).

The reference gives no error bodies; RFC 6749 section 5.2 is followed for them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from app.sandbox.config import ImsClient, SandboxConfig
from app.sandbox.control.faults import Hit
from app.sandbox.platform.limits import Bucket
from app.sandbox.state import SANDBOX

_TOKENS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """Times are seconds of the sandbox's clock."""

    client: ImsClient
    issued: float
    expires: float


@dataclass(slots=True)
class Ims:
    """Issued tokens and counts. `fetches`: answered with a token; `refused`: with an error."""

    clients: Mapping[str, ImsClient]
    lifetime_s: int
    throttle: Bucket
    fetches: int = 0
    refused: int = 0
    tokens: dict[str, Token] = field(default_factory=dict)

    @classmethod
    def of(cls, config: SandboxConfig) -> Ims:
        per_minute = config.token_fetches_per_minute
        throttle = Bucket(per_minute / 60 if per_minute else None, per_minute)
        clients = {client.client_id: client for client in config.ims_clients}
        return cls(clients, config.token_lifetime_s, throttle)

    def issue(self, form: Mapping[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        """Status and body for a token request with the fields of `form`."""
        fault = self._fault(form, now)
        if fault is not None:
            self.refused += 1
            status, error, text = fault
            return status, {"error": error, "error_description": text}
        self.fetches += 1
        token = secrets.token_urlsafe(48)
        while len(self.tokens) >= _TOKENS_KEPT:
            del self.tokens[next(iter(self.tokens))]
        client = self.clients[form["client_id"]]
        self.tokens[token] = Token(client, now, now + self.lifetime_s)
        return 200, {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.lifetime_s,
        }

    def live(self, bearer: str, now: float) -> Token | None:
        """The token behind `bearer`, or None when it is unknown or over."""
        token = self.tokens.get(bearer)
        return token if token is not None and now < token.expires else None

    def _fault(self, form: Mapping[str, Any], now: float) -> tuple[int, str, str] | None:
        if not self.throttle.take(now):
            return 429, "too_many_requests", "too many token requests"
        if form.get("grant_type") != "client_credentials":
            return 400, "unsupported_grant_type", "grant_type must be client_credentials"
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            return 400, "invalid_client", "invalid client_id parameter"
        if form.get("client_secret") not in client.secrets:
            return 401, "invalid_client", "invalid client_secret parameter"
        return _scope_fault(form.get("scope", ""), client.scopes)


def _scope_fault(scope: str, granted: Sequence[str]) -> tuple[int, str, str] | None:
    wanted = [name for name in scope.split(",") if name]
    if not wanted:
        return 400, "invalid_scope", "the scope parameter is mandatory"
    if unknown := [name for name in wanted if name not in granted]:
        return 400, "invalid_scope", f"invalid scope: {' '.join(unknown)}"
    return None


async def issue_token(request: web.Request, _hit: Hit) -> web.StreamResponse:
    """POST /ims/token/v3: fields in the form, or in the query."""
    sandbox = request.app[SANDBOX]
    form = {**request.query, **{k: v for k, v in (await request.post()).items()}}
    status, body = sandbox.ims.issue(form, sandbox.clock())
    return web.json_response(body, status=status)


async def token_counts(request: web.Request) -> web.StreamResponse:
    """GET /tokens: how often tokens were fetched, for tests of caching."""
    sandbox = request.app[SANDBOX]
    now = sandbox.clock()
    live = sum(now < token.expires for token in sandbox.ims.tokens.values())
    counts = {"fetches": sandbox.ims.fetches, "refused": sandbox.ims.refused, "live": live}
    return web.json_response(counts)
