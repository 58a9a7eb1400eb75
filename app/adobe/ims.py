"""Asks IMS for access tokens, OAuth server-to-server (platform.md section 3).

No secret and no token ever enters a log line or an exception.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

from app.core.curl import Show, curl
from app.core.errors import CredentialsRefused, TokenUnavailable

DEFAULT_TOKEN_URL: Final = "https://ims-na1.adobelogin.com/ims/token/v3"
DEFAULT_SCOPES: Final = (
    "openid",
    "AdobeID",
    "read_organizations",
    "additional_info.projectedProductContext",
    "session",
)
# Longer than ten days can only be milliseconds, as the old JWT exchange answered: a token lives a
# day, and a day in milliseconds is a hundred times this.
_LONGEST_SECONDS: Final = 864_000
_ANSWER_MAX_BYTES: Final = 65_536
# Adobe's own client takes a token for expired 30 s early.
_EARLY_SECONDS: Final = 30.0
FETCH_SECONDS: Final = 15.0
_NOT_THIS_SECRET: Final = frozenset({"invalid_client", "invalid_client_secret", "unauthorized"})
# The reference names no error words of IMS; these are OAuth's own (RFC 6749 section 5.2) and those
# that IMS is known by.
_PAIR: Final = (
    "client_id and client_secret are not those of one OAuth Server-to-Server credential: copy both "
    "from Developer Console; JWT credentials are no longer taken"
)
_FIX: Final = {
    "invalid_client": _PAIR,
    "invalid_client_secret": _PAIR,
    "unauthorized": _PAIR,
    "unauthorized_client": _PAIR,
    "invalid_scope": "scopes must be those that Developer Console shows for the credential",
    "unsupported_grant_type": "is the token address that of IMS, .../ims/token/v3?",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """An OAuth server-to-server credential; its secrets are tried in order, two during rotation."""

    client_id: str
    client_secrets: tuple[str, ...] = field(repr=False)
    scopes: Sequence[str] = DEFAULT_SCOPES
    token_url: str = DEFAULT_TOKEN_URL

    @property
    def fingerprint(self) -> str:
        """Names the shared token. Secrets are not in it: a rotation keeps the token."""
        text = "|".join((self.token_url, self.client_id, *self.scopes))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; `made` and `expires`: Unix seconds."""

    value: str = field(repr=False)
    made: float
    expires: float

    def left(self, now: float) -> float:
        """Seconds of use left: a little less than its life."""
        return self.expires - now - min(_EARLY_SECONDS, (self.expires - self.made) / 10)


class TokenClient:
    """Asks IMS for a token. Holds no state but which of the secrets worked last.

    `show`: is given every request as a curl command, without its secret.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credential: Credential,
        *,
        show: Show | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.credential = credential
        self._show = show
        self._session = session
        self._clock = clock
        self._first = 0

    async def fetch(self) -> Token:
        """A fresh token. Raises CredentialsRefused, or TokenUnavailable when later may help."""
        secrets = self.credential.client_secrets
        if not secrets:
            raise CredentialsRefused("no client secret is configured")
        refusal = ""
        for turn in range(len(secrets)):
            at = (self._first + turn) % len(secrets)
            status, answer, wait = await self._ask(secrets[at])
            if status == 200:
                token = self._read(answer)
                self._first = at
                return token
            refusal = _refusal(status, _error(answer))
            if status == 429 or status >= 500 or status < 400:
                raise TokenUnavailable(refusal, wait)
            if _error(answer) not in _NOT_THIS_SECRET:
                break
        raise CredentialsRefused(refusal)

    async def _ask(self, secret: str) -> tuple[int, Any, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.credential.client_id,
            "client_secret": secret,
            "scope": ",".join(self.credential.scopes),
        }
        if self._show is not None:
            secrets = {secret: "CLIENT_SECRET"}
            url = self.credential.token_url
            self._show(curl("POST", url, {}, form=list(form.items()), secrets=secrets))
        try:
            async with self._session.post(
                self.credential.token_url,
                data=form,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS, connect=5),
            ) as response:
                body = await _bounded(response.content)
                return response.status, _parsed(body), _seconds(response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            # The class only: a text may hold the address with its query. `from None` keeps the
            # form out of tracebacks.
            raise TokenUnavailable(f"IMS: {type(fault).__name__}", 1.0) from None

    def _read(self, answer: Any) -> Token:
        found = answer if isinstance(answer, dict) else {}
        value, life = found.get("access_token"), _life(found.get("expires_in"))
        if not isinstance(value, str) or not _is_header_safe(value) or life is None:
            raise TokenUnavailable("IMS answered 200 without a readable token", 5.0)
        now = self._clock()
        return Token(value, now, now + life)


def _life(value: Any) -> float | None:
    """Seconds to live, from seconds or milliseconds (section 3)."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if type(value) not in (int, float) or not 0 < value < 1e15:
        return None
    return value / 1000 if value > _LONGEST_SECONDS else float(value)


def _is_header_safe(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def _refusal(status: int, word: str) -> str:
    said = f"IMS answered {status} {word}".rstrip()
    return f"{said}: {_FIX[word]}" if word in _FIX else said


def _error(answer: Any) -> str:
    """IMS's short error word; its description is left out, it may quote what was sent."""
    word = answer.get("error") if isinstance(answer, dict) else None
    known = isinstance(word, str) and word.replace("_", "").isalnum() and len(word) <= 40
    return str(word) if known else ""


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _seconds(headers: Any) -> float:
    text = headers.get("Retry-After", "")
    return min(float(text), 300.0) if text.isdigit() and len(text) < 9 else 1.0


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    kept = bytearray()
    async for chunk in content.iter_any():
        kept += chunk
        if len(kept) > _ANSWER_MAX_BYTES:
            return b""
    return bytes(kept)
