"""A small OpenID provider that signs with a key of its own, and lies when it is told to."""

from __future__ import annotations

import hashlib
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET = "sluice-console", "a secret: with/signs"
BACK = "https://sluice.example.com/login/oidc/back"

Key = RSAKey | ECKey


def new_key(kid: str) -> Key:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


@dataclass
class Person:
    """Whom the provider knows; claims as it gives them."""

    sub: str = "0815"
    email: str = "Ada@Example.com"
    groups: Any = ("staff", "sluice-ops")
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class FakeProvider:
    """`claims` and `header` are put over those that would be right; `sign` replaces signing."""

    url: str = ""
    key: Key = field(default_factory=lambda: new_key("one"))
    shown: list[Key] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    secret: str | None = SECRET
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    about: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    keys_asked: int = 0
    _codes: dict[str, tuple[dict[str, str], Person]] = field(default_factory=dict)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        return app

    def authorize(self, location: str, person: Person | None = None) -> tuple[str, str]:
        """What a browser brings back from that address: code and state."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/authorize"
        asked = {name: value for name, [value] in parse_qs(parts.query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert (asked["redirect_uri"], asked["code_challenge_method"]) == (BACK, "S256")
        assert "openid" in asked["scope"].split()
        code = f"code{len(self._codes)}"
        self._codes[code] = (asked, person or Person())
        return code, asked["state"]

    async def _discovery(self, _: web.Request) -> web.Response:
        if self.down:
            raise web.HTTPServiceUnavailable
        found = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
        }  # fmt: skip
        return web.json_response({**found, **self.about})

    async def _keys(self, _: web.Request) -> web.Response:
        self.keys_asked += 1
        keys = KeySet(self.shown or [self.key]).as_dict(private=False)
        # A key of a kind that nobody knows yet is to be ignored (RFC 7517 section 5).
        return web.json_response({"keys": [{"kty": "XYZ", "kid": "x"}, *keys["keys"]]})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked, person = self._codes.pop(str(form["code"]), ({}, Person()))
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        good = (
            asked.get("code_challenge") == challenge
            and form["grant_type"] == "authorization_code"
            and form["redirect_uri"] == BACK
            and self._is_client(request, dict(form))
        )
        if not good:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": person.sub, "aud": CLIENT, "exp": now + 300, "iat": now,
            "nonce": asked["nonce"], "email": person.email, "groups": person.groups,
            **person.more, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(claims) if self.sign else signed(self.key, claims)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _is_client(self, request: web.Request, form: dict[str, Any]) -> bool:
        header = request.headers.get("Authorization", "")
        if self.secret is None:
            return not header and form.get("client_id") == CLIENT and "client_secret" not in form
        if "client_secret_basic" not in self.methods:
            return not header and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        given = b64decode(header.removeprefix("Basic ")).decode()
        return given == f"{CLIENT}:a+secret%3A+with%2Fsigns" and "client_secret" not in form


def signed(key: Key, claims: dict[str, Any], kid: str | None = None) -> str:
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    return jwt.encode({"alg": algorithm, "kid": kid or key.kid}, claims, key)
