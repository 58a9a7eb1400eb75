"""Moves requests to Platform's own API (platform.adobe.io) and answers back, for all its services.

Headers of platform.md section 0, errors of section 1.11 as exceptions that say what to do. What the
reference calls retryable is tried again here, with backoff; everything else is the caller's. One
client belongs to one organization and sandbox. No token and no secret enters a log line or a text.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import aiohttp
import orjson

from app.adobe.complaints import PlatformAnswer, fault_of
from app.core.errors import PlatformFault, PlatformUnavailable, PlatformUnreadable
from app.core.retry import delay

Params = Sequence[tuple[str, str]]

_ANSWER_MAX_BYTES: Final = 16_000_000
# A record is 1 MB at most (section 2.7); the errors beside it are not.
LINE_MAX_BYTES: Final = 4_000_000
_ERROR_MAX_BYTES: Final = 65_536
_ATTEMPTS: Final = 4
_BACKOFF_SECONDS: Final = 1.0
_BACKOFF_CAP_SECONDS: Final = 30.0
# Judgement: no limit is documented for these services, and nobody waits for us.
_REQUESTS_PER_SECOND: Final = 5.0
# Between two bytes, and for all of an answer: a file that takes longer is gone on with later.
_SECONDS: Final = 60.0
_TOTAL_SECONDS: Final = 600.0
# Asking twice changes nothing.
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Account:
    """Whose Platform: what every call says of itself."""

    api_url: str
    client_id: str
    org_id: str
    sandbox_name: str


class Tokens(Protocol):
    """app.adobe.token_keeper.TokenKeeper, as far as the client is concerned."""

    async def token(self) -> str: ...
    async def renew(self, refused: str) -> str: ...


class Reply(NamedTuple):
    """A good answer. `headers`: by any spelling; `document`: None when the body was empty."""

    status: int
    headers: Mapping[str, str]
    document: Any


class PlatformClient:
    """Calls one organization's Platform. Raises PlatformFault, CredentialsRefused or
    TokenUnavailable, and nothing of aiohttp's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: Account,
        tokens: Tokens,
        *,
        requests_per_second: float = _REQUESTS_PER_SECOND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._account = account
        self._tokens = tokens
        self._pause = 1 / requests_per_second
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._next_at = 0.0

    async def get(self, path: str, params: Params = (), *, accept: str = "") -> Any:
        """The JSON document at a path."""
        headers = {"Accept": accept} if accept else {}
        return (await self.call("GET", path, params, headers=headers)).document

    async def call(
        self,
        method: str,
        path: str,
        params: Params = (),
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool = False,
    ) -> Reply:
        """One call, with a JSON `body` if there is one.

        `safe`: asking twice changes nothing, as with every GET; only then is a call repeated whose
        answer was lost. A status that says that nothing was done is repeated anyway.
        """
        content = None if body is None else orjson.dumps(body)
        asked = self._answer(method, path, params, content, headers or {}, safe)
        async with _released(await asked) as response:
            raw = await _bounded(response, _ANSWER_MAX_BYTES)
            name = f"{method} {path}"
            if raw is None:
                raise PlatformUnreadable(name, f"the answer is over {_ANSWER_MAX_BYTES} bytes")
            try:
                document = orjson.loads(raw) if raw.strip() else None
            except orjson.JSONDecodeError:
                raise PlatformUnreadable(name, "the answer is not JSON") from None
            return Reply(response.status, response.headers, document)

    async def lines(
        self, path: str, params: Params = (), *, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The lines of a file, as they come in; empty ones are left out.

        One over LINE_MAX_BYTES comes as `b"{}"`, so that the count of lines stays. An answer that
        breaks off, or has less than `length` bytes, raises PlatformUnavailable after the whole
        lines that came.
        """
        async with _released(await self._answer("GET", path, params, None, {}, True)) as response:
            try:
                async for line in _lines(response.content, length or 0):
                    yield line
            except (aiohttp.ClientError, TimeoutError, OSError, EOFError) as fault:
                raise PlatformUnavailable(
                    f"GET {path}", f"broke off ({type(fault).__name__}); is tried again later"
                ) from None

    async def _answer(
        self,
        method: str,
        path: str,
        params: Params,
        content: bytes | None,
        headers: Mapping[str, str],
        safe: bool,
    ) -> aiohttp.ClientResponse:
        """A good response, open. Raises what the class says, after the attempts it is worth."""
        renewed = False
        attempt = 1
        while True:
            token = await self._tokens.token()
            await self._paced()
            sent = self._headers(token, content, headers)
            answer = await self._open(method, path, params, content, sent)
            if isinstance(answer, aiohttp.ClientResponse):
                return answer
            if answer.wants_token and not renewed:
                renewed = True
                if await self._tokens.renew(token) != token:
                    continue
            if not _worth_another(answer, attempt, safe or method in _SAFE):
                raise answer
            asked = getattr(answer, "retry_in", None)
            await self._sleep(
                delay(attempt, self._chance(), _BACKOFF_SECONDS, _BACKOFF_CAP_SECONDS, asked)
            )
            attempt += 1

    async def _open(
        self,
        method: str,
        path: str,
        params: Params,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> aiohttp.ClientResponse | PlatformFault:
        """One try: a good response, open; or the fault."""
        call, url = f"{method} {path}", self._account.api_url.rstrip("/") + path
        timeout = aiohttp.ClientTimeout(total=_TOTAL_SECONDS, connect=10, sock_read=_SECONDS)
        try:
            response = await self._session.request(
                method, url, params=params, data=content, headers=headers,
                allow_redirects=False, timeout=timeout,
            )  # fmt: skip
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            # The class only: the request with its token is in the original.
            why = f"no answer ({type(fault).__name__}); is {self._account.api_url} reachable?"
            return PlatformUnavailable(call, why, code="no_answer")
        if response.status < 300:
            return response
        async with _released(response):
            try:
                raw = await _bounded(response, _ERROR_MAX_BYTES)
            except PlatformUnavailable as fault:
                return fault
        waits = response.headers.get("Retry-After", "")
        return fault_of(call, PlatformAnswer(response.status, waits, raw or b""))

    def _headers(
        self, token: str, content: bytes | None, more: Mapping[str, str]
    ) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token}",
            "x-api-key": self._account.client_id,
            "x-gw-ims-org-id": self._account.org_id,
            "x-sandbox-name": self._account.sandbox_name,
            **more,
        }
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers

    async def _paced(self) -> None:
        """Waits for this call's turn."""
        now = self._clock()
        wait = self._next_at - now
        self._next_at = max(now, self._next_at) + self._pause
        if wait > 0:
            await self._sleep(wait)


def _worth_another(fault: PlatformFault, attempt: int, safe: bool) -> bool:
    if not isinstance(fault, PlatformUnavailable) or attempt >= _ATTEMPTS:
        return False
    # A state that passes takes minutes: the caller's next turn is soon enough.
    return (safe or fault.status in (429, 503)) and fault.status != 400


@asynccontextmanager
async def _released(response: aiohttp.ClientResponse) -> AsyncIterator[aiohttp.ClientResponse]:
    try:
        yield response
    finally:
        response.release()


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body; None when it is longer than `most`. Raises PlatformUnavailable."""
    kept = bytearray()
    try:
        async for chunk in response.content.iter_any():
            kept += chunk
            if len(kept) > most:
                return None
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        call = f"{response.method} {response.url.path}"
        raise PlatformUnavailable(
            call, f"broke off ({type(fault).__name__}); is tried again later", code="no_answer"
        ) from None
    return bytes(kept)


async def _lines(content: aiohttp.StreamReader, length: int) -> AsyncIterator[bytes]:
    """Raises EOFError before a last line that may be half a one."""
    buffer = bytearray()
    skipping, came = False, 0
    async for chunk in content.iter_any():
        came += len(chunk)
        buffer += chunk
        *whole, rest = buffer.split(b"\n")
        for line in whole:
            if skipping or len(line) > LINE_MAX_BYTES:
                skipping = False
                yield b"{}"
            elif line.strip():
                yield bytes(line)
        buffer = rest
        if len(buffer) > LINE_MAX_BYTES:
            skipping = True
            buffer.clear()
    if came < length:
        raise EOFError
    if skipping:
        yield b"{}"
    elif buffer.strip():
        yield bytes(buffer)
