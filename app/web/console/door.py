"""Who is asking: a session of a browser, or a token of a program."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from app.core.errors import StoreUnavailable
from app.store.sessions import Session
from app.store.users import Role
from app.web.console.config import CONSOLE, Console
from app.web.sources import client_of

# While Redis is away, who was let in within this time may go on looking at what is remembered.
_REMEMBERED_SECONDS: Final = 300.0
_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who was let in. `session_id` "" for a token; `csrf`: what forms must carry;
    `token`: what the token is called, "" for a session."""

    name: str
    role: Role
    origin: str
    session_id: str = ""
    csrf: str = ""
    # Redis could not be asked: good for looking only.
    remembered: bool = False
    token: str = ""

    @property
    def acting(self) -> str:
        """Who acts, for the audit trail and what is signed: the user, and by which token."""
        return f"{self.name}/{self.token}" if self.token else self.name


WHO: Final = web.RequestKey("who", Who)


class Door:
    """Lets in. Every method raises StoreUnavailable when Redis cannot answer and must."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[Session, float]] = OrderedDict()

    async def by_session(self, request: web.Request, *, used: bool = True) -> Who | None:
        """Whose session the cookie is; None when it is none, or over. `used` False: the request
        was not a person's doing, so it does not keep the session alive."""
        console = request.app[CONSOLE]
        session_id = request.cookies.get(cookie_name(console), "")
        if not session_id:
            return None
        remembered = False
        try:
            session = await console.sessions.look(session_id, used=used)
            self._remember(session_id, session)
        except StoreUnavailable:
            session = self._recall(session_id)
            if session is None or request.method != "GET":
                raise
            remembered = True
        return None if session is None else _who(request, session_id, session, remembered)

    async def for_frame(self, request: web.Request) -> Who | None:
        """Around whose page a refusal or a fault stands. Lets nobody do anything, keeps no session
        alive, and raises nothing: with Redis away it is whom the cookie was of."""
        try:
            return await self.by_session(request, used=False)
        except StoreUnavailable:
            session_id = request.cookies.get(cookie_name(request.app[CONSOLE]), "")
            session = self._recall(session_id)
            return None if session is None else _who(request, session_id, session, True)

    async def by_token(self, request: web.Request) -> Who | None:
        """Whose token the Authorization header carries."""
        console = request.app[CONSOLE]
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        holder = await console.tokens.holder_of(token.strip(), console.users)
        if holder is None:
            return None
        return Who(holder.user.name, holder.role, address_of(request), token=holder.name)

    def forget(self, session_id: str) -> None:
        """A session that was ended."""
        self._seen.pop(_digest(session_id), None)

    def _remember(self, session_id: str, session: Session | None) -> None:
        digest = _digest(session_id)
        if session is None:
            self._seen.pop(digest, None)
            return
        self._seen[digest] = (session, time.monotonic())
        self._seen.move_to_end(digest)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _recall(self, session_id: str) -> Session | None:
        session, seen = self._seen.get(_digest(session_id), (None, 0.0))
        if session is None:
            return None
        seconds = time.monotonic() - seen
        good = seconds < min(_REMEMBERED_SECONDS, session.left_ms / 1000)
        return session if good else None


DOOR: Final = web.AppKey("door", Door)


def _who(request: web.Request, session_id: str, session: Session, remembered: bool) -> Who:
    origin = address_of(request)
    return Who(session.user, session.role, origin, session_id, session.csrf, remembered)


def cookie_name(console: Console) -> str:
    """__Host-: browsers take such a cookie only by https, for this host alone (RFC 6265bis)."""
    return "__Host-sluice" if console.config.secure else "sluice"


def set_cookie(
    response: web.Response,
    console: Console,
    name: str,
    value: str,
    *,
    max_age_seconds: int | None = None,
) -> None:
    """A cookie for this console alone, that no script can read; by default gone with the browser.

    Lax and not Strict: a link to the console in a message must not end at the log-in. What changes
    anything is a POST, which a foreign page cannot send with it.
    """
    response.set_cookie(
        name,
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=console.config.secure,
        path="/",
    )


def address_of(request: web.Request) -> str:
    """The client's address; behind proxies of ours, what they say it is."""
    config = request.app[CONSOLE].config
    forwarded: Sequence[str] = request.headers.getall("X-Forwarded-For", ())
    found = client_of(request.remote or "", ",".join(forwarded), config.trusted_proxies)
    return str(found) if found else "unknown"


def same_origin(request: web.Request) -> bool:
    """Whether a form was sent from a page of ours, as far as the browser says.

    Programs send neither header, and have no cookie that a foreign page could abuse.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    host = origin.partition("://")[2]
    return bool(host) and host in (request.host, request.app[CONSOLE].config.public_host)


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
