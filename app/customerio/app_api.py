"""Moves requests to Customer.io's App API and answers back (customerio.md section 10).

Ten requests a second are allowed, then 429 without a body; a call that was refused so is made
again. The App API key enters no log line, no text and no repr.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from app.core.curl import Show, curl
from app.core.errors import CustomerIoFault, CustomerIoUnavailable, CustomerIoUnreadable
from app.core.retry import delay
from app.core.turns import Turns
from app.customerio.complaints import fault_of

US_URL: Final = "https://api.customer.io"
EU_URL: Final = "https://api-eu.customer.io"

_ANSWER_MAX_BYTES: Final = 4_000_000
_ATTEMPTS: Final = 5
_BACKOFF_SECONDS: Final = 1.0
_BACKOFF_CAP_SECONDS: Final = 15.0
# Ten are allowed, and other programs may use the same workspace.
_REQUESTS_PER_SECOND: Final = 8.0
_SECONDS: Final = 30.0
_NO_ANSWER: Final = "no_answer"
# Asking twice changes nothing: a webhook is put as a whole.
_SAFE: Final = frozenset({"GET", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Workspace:
    """Whose App API: `url` of its region (US_URL, EU_URL), and a key of the workspace."""

    url: str
    key: str = field(repr=False)


class AppApi:
    """Calls one workspace's App API. Raises CustomerIoFault, and nothing of aiohttp's.

    `look_seconds`: how long a GET may take where a person waits for it; then it is tried once more.
    `show`: is given every request as a curl command, without the key.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        workspace: Workspace,
        *,
        requests_per_second: float = _REQUESTS_PER_SECOND,
        look_seconds: float | None = None,
        show: Show | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._workspace = workspace
        self._turns = Turns(requests_per_second)
        self._look_seconds = look_seconds
        self._show = show
        self._sleep = sleep
        self._chance = chance
        self._clock = clock

    async def call(self, method: str, path: str, body: Any = None, *, key: bool = True) -> Any:
        """The JSON document of the answer, None for an empty one. `key`: False where none is
        wanted. A POST whose answer was lost is not made again: its fault says `maybe_done`."""
        content = None if body is None else orjson.dumps(body)
        safe = method in _SAFE
        attempt = 1
        while True:
            await self._paced()
            answer = await self._open(method, path, content, key)
            if not isinstance(answer, CustomerIoFault):
                return answer[0]
            in_vain = attempt > 1 and self._is_look(method) and answer.code == _NO_ANSWER
            if in_vain or not _worth_another(answer, attempt, safe):
                answer.maybe_done = not safe and not 300 <= answer.status < 500
                raise answer
            await self._sleep(self._backoff(attempt))
            attempt += 1

    async def _open(
        self, method: str, path: str, content: bytes | None, key: bool
    ) -> CustomerIoFault | tuple[Any]:
        """One try: the document, alone in a tuple; or the fault."""
        call, url = f"{method} {path}", URL(self._workspace.url.rstrip("/") + path, encoded=True)
        headers = {"Authorization": f"Bearer {self._workspace.key}"} if key else {}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._show is not None:
            secrets = {self._workspace.key: "CUSTOMERIO_APP_API_KEY"}
            self._show(curl(method, str(url), headers, content, secrets=secrets))
        seconds = self._look_seconds if self._is_look(method) else _SECONDS
        timeout = aiohttp.ClientTimeout(total=seconds, connect=10)
        try:
            async with self._session.request(
                method, url, data=content, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                raw = await _bounded(response.content)
                if response.status >= 300:
                    # A refusal may quote the key.
                    said = (raw or b"").replace(self._workspace.key.encode() or b"\0", b"")
                    return fault_of(call, response.status, said)
                return _read(call, response.status, raw)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            # The class only: the request with its key is in the original.
            why = f"no answer ({type(fault).__name__}); is {self._workspace.url} reachable?"
            return CustomerIoUnavailable(call, why, code=_NO_ANSWER)

    def _is_look(self, method: str) -> bool:
        return self._look_seconds is not None and method == "GET"

    def _backoff(self, attempt: int) -> float:
        # Not less than the second that the limit is counted over.
        wait = delay(attempt, self._chance(), _BACKOFF_SECONDS, _BACKOFF_CAP_SECONDS)
        return _BACKOFF_SECONDS + wait

    async def _paced(self) -> None:
        """Waits for this call's turn."""
        wait = self._turns.wait(self._clock())
        if wait > 0:
            await self._sleep(wait)


def _worth_another(fault: CustomerIoFault, attempt: int, safe: bool) -> bool:
    if not isinstance(fault, CustomerIoUnavailable) or attempt >= _ATTEMPTS:
        return False
    return safe or fault.status == 429


def _read(call: str, status: int, raw: bytes | None) -> CustomerIoFault | tuple[Any]:
    if raw is None:
        why = f"the answer is over {_ANSWER_MAX_BYTES} bytes"
        return CustomerIoUnreadable(call, why, status=status)
    try:
        return (orjson.loads(raw) if raw.strip() else None,)
    except orjson.JSONDecodeError:
        why = "the answer is not JSON; is the address that of the App API?"
        return CustomerIoUnreadable(call, why, status=status)


async def _bounded(content: aiohttp.StreamReader) -> bytes | None:
    """The body; None when it is too long."""
    kept = bytearray()
    async for chunk in content.iter_any():
        kept += chunk
        if len(kept) > _ANSWER_MAX_BYTES:
            return None
    return bytes(kept)
