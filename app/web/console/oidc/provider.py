"""What is asked of an OpenID provider: its discovery document, its keys, and a token for a code.

The first two are remembered for an hour; keys are asked for anew when a token names an unknown one,
once a minute at most. Raises ProviderUnavailable, OidcRefused, and nothing of aiohttp's.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.settings.oidc import LOOPBACK
from app.web.console.oidc.config import OidcConfig, OidcRefused, ProviderUnavailable
from app.web.console.oidc.id_token import UnknownKey, claims_of

_SECONDS: Final = 10.0
_ANSWER_MAX_BYTES: Final = 1_000_000
_REMEMBERED_SECONDS: Final = 3600.0
_KEYS_EVERY_SECONDS: Final = 60.0
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """One provider; one per process."""

    def __init__(self, config: OidcConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self._clock = clock
        self._about: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to log in."""
        endpoint = str((await self._discovered())["authorization_endpoint"])
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self.config.back_url,
            "scope": self.config.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def claims(self, code: str, verifier: str, nonce: str, now: float) -> dict[str, Any]:
        """Whom the code is of, as the provider signs it. `now`: Unix seconds."""
        token = await self._token(code, verifier)
        try:
            return claims_of(token, await self._known_keys(), self.config, nonce, now)
        except UnknownKey:
            keys = await self._known_keys(_KEYS_EVERY_SECONDS)
            return claims_of(token, keys, self.config, nonce, now)

    async def _token(self, code: str, verifier: str) -> str:
        about, config = await self._discovered(), self.config
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": config.back_url,
            "code_verifier": verifier,
        }
        headers = dict[str, str]()
        if config.client_secret is None:
            asked["client_id"] = config.client_id
        elif "client_secret_basic" in _methods(about):
            headers["Authorization"] = _basic(config.client_id, config.client_secret)
        else:
            asked |= {"client_id": config.client_id, "client_secret": config.client_secret}
        answer = await self._ask("POST", str(about["token_endpoint"]), asked, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused("the provider gave no ID token")
        return token

    async def _discovered(self) -> Mapping[str, Any]:
        if self._about and self._clock() - self._about[0] < _REMEMBERED_SECONDS:
            return self._about[1]
        url = f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await self._ask("GET", url)
        # Discovery 1.0 section 4.3: it must be the very same.
        if found.get("issuer") != self.config.issuer:
            raise OidcRefused("the provider calls itself otherwise than SLUICE_OIDC_ISSUER does")
        if not all(_is_safe(found.get(name)) for name in _ENDPOINTS):
            raise OidcRefused("the provider's discovery document lacks an https address")
        self._about = (self._clock(), found)
        return found

    async def _known_keys(self, older_than: float = _REMEMBERED_SECONDS) -> KeySet:
        if self._keys and self._clock() - self._keys[0] < older_than:
            return self._keys[1]
        found = await self._ask("GET", str((await self._discovered())["jwks_uri"]))
        try:
            keys = KeySet.import_key_set({"keys": list(found["keys"])})
        except (JoseError, KeyError, TypeError, ValueError, AttributeError):
            raise OidcRefused("the provider's keys cannot be read") from None
        self._keys = (self._clock(), keys)
        return keys

    async def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object there."""
        try:
            async with (
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=_SECONDS),
                    headers={"Accept": "application/json"},
                ) as session,
                session.request(
                    method, url, data=form, headers=headers, allow_redirects=False
                ) as answer,
            ):
                raw = await answer.content.read(_ANSWER_MAX_BYTES + 1)
                while len(raw) <= _ANSWER_MAX_BYTES and (more := await answer.content.readany()):
                    raw += more
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            why = type(fault).__name__
            raise ProviderUnavailable(f"the provider cannot be asked ({why})") from None
        return _document(status, raw)


def _document(status: int, raw: bytes) -> dict[str, Any]:
    if status >= 500 or status == 429:
        raise ProviderUnavailable(f"the provider cannot answer now ({status})")
    if status != 200:
        raise OidcRefused(f"the provider refused ({status})")
    try:
        found = orjson.loads(raw) if len(raw) <= _ANSWER_MAX_BYTES else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise OidcRefused("the provider's answer cannot be read")
    return found


def _basic(name: str, secret: str) -> str:
    # RFC 6749 section 2.3.1: both are form-encoded first.
    pair = f"{quote_plus(name)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _methods(about: Mapping[str, Any]) -> list[str]:
    # Discovery 1.0 section 3: without it, basic.
    found = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return found if isinstance(found, list) else []


def _is_safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
