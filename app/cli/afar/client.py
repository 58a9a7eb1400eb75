"""One request to a console elsewhere, and its answer back. Refusals are exceptions, in its words.

The token goes nowhere but into the header: to the host that was named, no redirect followed, the
certificate checked against whom this machine trusts (SSL_CERT_FILE adds to that, as for all of
OpenSSL's).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from app.cli.afar.choice import Elsewhere
from app.core.errors import ConfigError, ConsoleRefused, ConsoleUnavailable

_ANSWER_MAX_BYTES: Final = 64_000_000
_CONNECT_SECONDS: Final = 10.0
# A dry run of a large selection takes its time.
_TOTAL_SECONDS: Final = 300.0
_TEXT_MAX: Final = 1_000

# What is wrong with what was asked, or with the token: nothing changes by asking again.
_WRONG: Final = frozenset((400, 401, 413, 422))
_LATER: Final = frozenset((429, 502, 503, 504))
# What a console without this API says of its addresses.
_NO_PAGE: Final = "There is no such page."


class Reply(NamedTuple):
    """A good answer. `headers`: by any spelling."""

    headers: Mapping[str, str]
    content: bytes


class Client:
    """Asks one console. Raises ConsoleRefused, ConsoleUnavailable, ConfigError."""

    def __init__(self, session: aiohttp.ClientSession, console: Elsewhere) -> None:
        self._session = session
        self._base = f"{console.url}/api/v1"
        self._url = console.url

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON document there."""
        return await self.document("GET", path, query=query)

    async def find(self, path: str, **query: Any) -> Any:
        """The same, None when there is no such thing."""
        return await self.document("GET", path, query=query, missing=True)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to an act, or to a question that no log of addresses shall keep."""
        return await self.document("POST", path, body=orjson.dumps(body))

    async def document(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        missing: bool = False,
    ) -> Any:
        """Any of them. `missing`: None instead of ConsoleRefused when there is no such thing."""
        reply = await self.ask(method, path, query=query, body=body, missing=missing)
        if reply is None:
            return None
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            raise ConsoleUnavailable(
                f"what answers at {self._url} is no console: it sent no JSON"
            ) from None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        missing: bool = False,
    ) -> Reply | None:
        """The bytes of an answer."""
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        url = f"{self._base}{path}" + (f"?{urlencode(given)}" if given else "")
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, allow_redirects=False
            ) as answer:
                content = await _read(answer)
                status, headers = answer.status, answer.headers.copy()
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise self._away(method, fault) from None
        if status < 300:
            return Reply(headers, content)
        text = _said(content)
        if status == 404 and missing and text != _NO_PAGE:
            return None
        raise self._refusal(status, text)

    def _away(self, method: str, fault: Exception) -> ConsoleUnavailable:
        if isinstance(fault, aiohttp.ClientConnectorCertificateError):
            why = "its certificate is not one that this machine trusts; SSL_CERT_FILE may name more"
        elif isinstance(fault, TimeoutError):
            why = "it did not answer in time"
        else:
            why = type(fault).__name__
        done = "" if method == "GET" else "; what was asked may have been done all the same"
        return ConsoleUnavailable(f"the console at {self._url} cannot be asked: {why}{done}")

    def _refusal(self, status: int, text: str) -> Exception:
        if text == _NO_PAGE:
            return ConsoleRefused(
                f"the console at {self._url} has no such address: it is of an older release, or "
                "something else"
            )
        if status in _WRONG:
            return ConfigError([f"the console says: {text or status}"])
        if status in _LATER:
            return ConsoleUnavailable(f"the console says: {text or status}")
        if status < 400:
            return ConfigError(
                [f"{self._url} sends on to another address ({status}): name that one itself"]
            )
        return ConsoleRefused(f"the console says: {text or status}")


@asynccontextmanager
async def opened(console: Elsewhere) -> AsyncIterator[Client]:
    """A client, closed at the end."""
    timeout = aiohttp.ClientTimeout(total=_TOTAL_SECONDS, sock_connect=_CONNECT_SECONDS)
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=timeout,
        headers={"Authorization": f"Bearer {console.token}", "User-Agent": "sluice"},
    ) as session:
        yield Client(session, console)


def part(text: str) -> str:
    """One part of a path, whatever is in it."""
    return quote(text, safe="")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = list[bytes](), 0
    async for chunk in answer.content.iter_any():
        parts.append(chunk)
        size += len(chunk)
        if size > _ANSWER_MAX_BYTES:
            raise aiohttp.ClientPayloadError("too much")
    return b"".join(parts)


def _said(content: bytes) -> str:
    """The refusal's text, fit for a terminal."""
    try:
        found = orjson.loads(content)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    text = str(found)[:_TEXT_MAX]
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
