"""Moves requests to Platform's own API (platform.adobe.io) and answers back, for all its services.

Headers of platform.md section 0, errors of section 1.11 as exceptions that say what to do. What the
reference calls retryable is tried again here, with backoff; everything else is the caller's. One
client belongs to one organization and sandbox. No token and no secret enters a log line or a text.

A wrong sandbox shows on any call, as 2100-404: there is nothing else to ask about sandboxes.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from app.adobe.answers import LINE_MAX_BYTES, bounded, lines_of, released
from app.adobe.complaints import PlatformAnswer, fault_of
from app.adobe.remedies import TRANSITIONAL
from app.core.curl import Show, curl
from app.core.errors import PlatformFault, PlatformUnavailable, PlatformUnreadable
from app.core.retry import delay
from app.core.turns import Turns

__all__ = ["LINE_MAX_BYTES", "Account", "Params", "PlatformClient", "Reply", "Tokens"]

Params = Sequence[tuple[str, str]]

_ANSWER_MAX_BYTES: Final = 16_000_000
_ERROR_MAX_BYTES: Final = 65_536
_ATTEMPTS: Final = 4
_NO_ANSWER: Final = "no_answer"
_BACKOFF_SECONDS: Final = 1.0
_BACKOFF_CAP_SECONDS: Final = 30.0
# Judgement: no limit is documented for these services, and nobody waits for us.
_REQUESTS_PER_SECOND: Final = 5.0
# Between two bytes, and for all of an answer: a file that takes longer is gone on with later.
_SECONDS: Final = 60.0
_TOTAL_SECONDS: Final = 600.0
# Between two looks at something in a transitional state.
_STATE_SECONDS: Final = 2.0
_STATE_CAP_SECONDS: Final = 15.0
# Asking twice changes nothing. What is deleted already is answered 404.
_LOOKS: Final = frozenset({"GET", "HEAD"})
_SAFE: Final = _LOOKS | {"DELETE"}


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


class _Asked(NamedTuple):
    """A call as it is to be made, as often as needed."""

    method: str
    path: str
    url: URL
    content: bytes | None
    headers: Mapping[str, str]
    safe: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class PlatformClient:
    """Calls one organization's Platform. Raises PlatformFault, CredentialsRefused or
    TokenUnavailable, and nothing of aiohttp's.

    `patience_seconds`: how long a call waits, in all, for something in a transitional state to
    leave it (section 1.11); none by default, for whoever comes again anyway. `look_seconds`: how
    long a GET may be silent where a person waits for it; then it is tried once more. `show`: is
    given every request as a curl command, without its token.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: Account,
        tokens: Tokens,
        *,
        requests_per_second: float = _REQUESTS_PER_SECOND,
        patience_seconds: float = 0.0,
        look_seconds: float | None = None,
        show: Show | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self._session = session
        self._tokens = tokens
        self._turns = Turns(requests_per_second)
        self._patience = patience_seconds
        self._look_seconds = look_seconds
        self._show = show
        self._sleep = sleep
        self._chance = chance
        self._clock = clock

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
        """One call, with a JSON `body` if there is one. `path`: percent-encoded.

        `safe`: asking twice changes nothing, as with every GET and DELETE; only then is a call
        repeated whose answer was lost, or that failed inside Platform. Of all but GET a fault says
        `maybe_done` when any of its tries may have been carried out.
        """
        asked = self._asked(method, path, params, body, headers or {}, safe)
        response = await self._answer(asked)
        try:
            async with released(response):
                raw = await bounded(response, _ANSWER_MAX_BYTES)
            if raw is None:
                why = f"the answer is over {_ANSWER_MAX_BYTES} bytes"
                raise PlatformUnreadable(asked.name, why, status=response.status)
            document = orjson.loads(raw) if raw.strip() else None
        except orjson.JSONDecodeError:
            fault = PlatformUnreadable(
                asked.name, "the answer is not JSON; is platform.api_url right?",
                status=response.status,
            )  # fmt: skip
            raise _told(fault, asked) from None
        except PlatformFault as fault:
            raise _told(fault, asked) from None
        return Reply(response.status, response.headers, document)

    async def lines(
        self, path: str, params: Params = (), *, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The lines of a file, as they come in; empty ones are left out.

        One over LINE_MAX_BYTES comes as `b"{}"`, so that the count of lines stays. An answer that
        breaks off, or has less than `length` bytes, raises PlatformUnavailable after the whole
        lines that came.
        """
        asked = self._asked("GET", path, params, None, {}, True)
        async with released(await self._answer(asked)) as response:
            try:
                async for line in lines_of(response.content, length or 0):
                    yield line
            except (aiohttp.ClientError, TimeoutError, OSError, EOFError) as fault:
                raise PlatformUnavailable(
                    f"GET {path}", f"broke off ({type(fault).__name__}); run the command again"
                ) from None

    def _asked(
        self,
        method: str,
        path: str,
        params: Params,
        body: Any,
        headers: Mapping[str, str],
        safe: bool,
    ) -> _Asked:
        # As the reference writes filters, `property=name==X`, and no `+` for a space.
        query = urlencode(params, quote_via=quote, safe="=/:,")
        url = self.account.api_url.rstrip("/") + path + (f"?{query}" if query else "")
        content = None if body is None else orjson.dumps(body)
        sent = {
            "x-api-key": self.account.client_id,
            "x-gw-ims-org-id": self.account.org_id,
            "x-sandbox-name": self.account.sandbox_name,
            **headers,
        }
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        whole = URL(url, encoded=True)
        return _Asked(method, path, whole, content, sent, safe or method in _SAFE)

    async def _answer(self, asked: _Asked) -> aiohttp.ClientResponse:
        """A good response, open. Raises what the class says, after the attempts it is worth."""
        renewed, attempt, waited, maybe_done = False, 1, 0.0, False
        while True:
            token = await self._tokens.token()
            await self._paced()
            answer = await self._open(asked, token)
            if isinstance(answer, aiohttp.ClientResponse):
                return answer
            maybe_done = answer.maybe_done = maybe_done or _told(answer, asked).maybe_done
            if answer.wants_token and not renewed:
                renewed = True
                if await self._tokens.renew(token) != token:
                    continue
            pause = self._pause_after(answer, asked, attempt, waited)
            if pause is None:
                raise answer
            await self._sleep(pause)
            attempt, waited = attempt + 1, waited + pause

    def _pause_after(
        self, fault: PlatformFault, asked: _Asked, attempt: int, waited: float
    ) -> float | None:
        """Seconds until the call is worth another try; None when it is not."""
        if not isinstance(fault, PlatformUnavailable):
            return None
        if fault.code == _NO_ANSWER and self._silence(asked) < _SECONDS and attempt > 1:
            return None
        if fault.code in TRANSITIONAL:
            pause = min(_STATE_CAP_SECONDS, _STATE_SECONDS * 2.0 ** min(attempt - 1, 9))
            return pause if waited + pause <= self._patience else None
        # Only 429 says for sure that nothing was done.
        if attempt >= _ATTEMPTS or not (asked.safe or fault.status == 429):
            return None
        return delay(
            attempt, self._chance(), _BACKOFF_SECONDS, _BACKOFF_CAP_SECONDS, fault.retry_in
        )

    def _silence(self, asked: _Asked) -> float:
        """Seconds between two bytes: a change may take its time, its answer must not be lost."""
        return self._look_seconds if self._look_seconds and asked.method == "GET" else _SECONDS

    async def _open(self, asked: _Asked, token: str) -> aiohttp.ClientResponse | PlatformFault:
        """One try: a good response, open; or the fault."""
        headers = {"Authorization": f"Bearer {token}", **asked.headers}
        if self._show is not None:
            secrets = {token: "ACCESS_TOKEN"}
            url = str(asked.url)
            self._show(curl(asked.method, url, headers, asked.content, secrets=secrets))
        timeout = aiohttp.ClientTimeout(
            total=_TOTAL_SECONDS, connect=10, sock_read=self._silence(asked)
        )
        try:
            response = await self._session.request(
                asked.method, asked.url, data=asked.content, headers=headers,
                allow_redirects=False, timeout=timeout,
            )  # fmt: skip
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            # The class only: the request with its token is in the original.
            why = f"no answer ({type(fault).__name__}); is {self.account.api_url} reachable?"
            return PlatformUnavailable(asked.name, why, code=_NO_ANSWER)
        if response.status < 300:
            return response
        async with released(response):
            try:
                raw = await bounded(response, _ERROR_MAX_BYTES)
            except PlatformUnavailable as fault:
                return fault
        waits = response.headers.get("Retry-After", "")
        # A refusal may quote the token.
        said = (raw or b"").replace(token.encode(), b"")
        return fault_of(asked.name, PlatformAnswer(response.status, waits, said))

    async def _paced(self) -> None:
        """Waits for this call's turn."""
        wait = self._turns.wait(self._clock())
        if wait > 0:
            await self._sleep(wait)


def _told(fault: PlatformFault, asked: _Asked) -> PlatformFault:
    """The fault, saying whether the call may have done what it is for."""
    # Without a status, or with a good one, it may; and what failed inside may have failed late.
    # Whether it may be asked again is another question.
    fault.maybe_done = asked.method not in _LOOKS and not 300 <= fault.status < 500
    return fault
