"""One webhook's story: find the connection, check the bytes, join the batch, answer.

No JSON is parsed here: a signed body that we cannot read is accepted, and becomes a dead letter
later, because a refused one would block the customer's stream (customerio.md section 9). A
Content-Encoding is not undone either: the signature is over the bytes as sent.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Final, Protocol

from aiohttp import hdrs
from multidict import istr

from app.core.event import OWN_BODY_BEGINS
from app.core.signature import SigningKeys, looks_signed
from app.store.signatures import Seen
from app.web.answers import Answer, Answers
from app.web.bell import Bell, RingStore
from app.web.body import (
    BodiesTooMany,
    BodyBroken,
    BodyTooLarge,
    BodyTooSlow,
    Room,
    read_body,
)
from app.web.config import CUSTOMERIO_TIMEOUT_SECONDS, ReceiverConfig, ReceiverConnection
from app.web.fault_log import FaultLog
from app.web.group_commit import OVERDUE, CommitStore, Encode, GroupCommit
from app.web.health import PingStore, Readiness
from app.web.metrics import ReceiverMetrics, Tally
from app.web.protocol import Request
from app.web.shedding import PressureStore, Shedding

PREFIX: Final = "/webhooks/"
_TIMESTAMP: Final = istr("X-CIO-Timestamp")
_SIGNATURE: Final = istr("X-CIO-Signature")
_FORWARDED: Final = istr("X-Forwarded-For")
_SLASHES: Final = re.compile("/{2,}")


class Store(CommitStore, RingStore, PressureStore, PingStore, Protocol):
    """What the receiver needs of Redis."""


class Endpoint:
    """A connection, its open batch, and its counts."""

    __slots__ = ("commits", "keys", "limit", "seen", "sources", "tally", "window")

    def __init__(self, connection: ReceiverConnection, commits: GroupCommit, tally: Tally) -> None:
        self.keys = SigningKeys(connection.keys)
        self.limit = connection.body_limit_bytes
        self.window = connection.replay_window_seconds
        self.sources = connection.sources
        self.commits = commits
        self.tally = tally
        self.seen = Seen(connection.keys)


class Receiver:
    """Answers every request of one process. Make it inside the event loop that serves."""

    def __init__(
        self,
        config: ReceiverConfig,
        connections: Sequence[ReceiverConnection],
        store: Store,
        encode: Encode,
        metrics: ReceiverMetrics,
    ) -> None:
        self.config = config
        self.metrics = metrics
        self.faults = FaultLog()
        self.answers = Answers(config.retry_after_seconds)
        self.readiness = Readiness(store, config, self.faults)
        self.shedding = Shedding(store, config, self.faults, metrics.shedding)
        self.strays = metrics.tally("")
        # Set while the process stops: every answer asks the client to connect anew, elsewhere.
        self.leaving = False
        self._bell = Bell(store, config.ring_interval_ms / 1000, self.faults)
        self._pending = Room(config.pending_max_bytes)
        self._arriving = Room(config.arriving_max_bytes)
        self._rendering: asyncio.Task[str] | None = None
        self._endpoints: dict[str, Endpoint] = {}
        for connection in connections:
            tally = metrics.tally(connection.name, len(connection.keys))
            commits = GroupCommit(
                connection.name, store, encode, config, self.shedding, tally, self._pending,
                self._bell, self.faults,
            )  # fmt: skip
            self._endpoints[PREFIX + connection.name] = Endpoint(connection, commits, tally)

    async def handle(self, request: Request) -> Answer:
        """The handler of `web.Server`."""
        try:
            endpoint = self._endpoints.get(request.path)
            if endpoint is None or request.method != hdrs.METH_POST:
                answer = await self._elsewhere(request)
            else:
                answer = await self._receive(endpoint, request)
        except Exception as fault:  # a bug of ours must not cost the customer an hour
            self.faults.report(fault)
            self.strays.refuse("internal")
            answer = self.answers.unavailable
        return answer.closing if self.leaving or not request.keep_alive else answer

    @property
    def signatures(self) -> dict[str, Seen]:
        """What is seen of each connection's signatures."""
        named = self._endpoints.items()
        return {path.removeprefix(PREFIX): endpoint.seen for path, endpoint in named}

    async def close(self) -> None:
        """Commit what is open. Call when no request is left."""
        for endpoint in self._endpoints.values():
            await endpoint.commits.close()
        await self._bell.close()
        self.metrics.flush()

    async def _receive(self, endpoint: Endpoint, request: Request) -> Answer:
        tally = endpoint.tally
        tally.received += 1
        turned_away = self._turned_away(endpoint, request)
        if turned_away is not None:
            return turned_away
        content = request.content
        patience = 0.0
        if content.is_eof():
            body = content.read_nowait()
            if len(body) > endpoint.limit:
                tally.refuse("too_large")
                return self.answers.too_large
        else:
            began = time.monotonic()
            refused = await self._slow_body(endpoint, request)
            if isinstance(refused, Answer):
                return refused
            body = refused
            patience = CUSTOMERIO_TIMEOUT_SECONDS - 0.5 - (time.monotonic() - began)
        now_ms = time.time_ns() // 1_000_000
        if not self._signed(endpoint, request, body, now_ms):
            return self.answers.unsigned
        if self._pending.size > self._pending.limit:
            return self._later(tally, "pending")
        confirmed = endpoint.commits.join(body, now_ms)
        refusal = await (_in_time(confirmed, patience) if patience else confirmed)
        if refusal:
            return self._later(tally, refusal)
        tally.acknowledged += 1
        if not request.protocol.trusted:
            request.protocol.trust()
        return self.answers.ok

    def _signed(self, endpoint: Endpoint, request: Request, body: bytes, now_ms: int) -> bool:
        headers = request.headers
        tally = endpoint.tally
        timestamp, signature = headers.get(_TIMESTAMP, ""), headers.get(_SIGNATURE, "")
        key = endpoint.keys.match(timestamp, signature, body)
        own = body.startswith(OWN_BODY_BEGINS)
        if key is None:
            tally.refuse("signature")
            if not own and looks_signed(timestamp, signature):
                endpoint.seen.refuse(now_ms)
            return False
        tally.key_matched[key] += 1
        skew = abs(now_ms / 1000 - int(timestamp))
        tally.skew.add(skew)
        if endpoint.window is not None and skew > endpoint.window:
            tally.refuse("replay")
            return False
        if not own:
            endpoint.seen.believed_ms[key] = now_ms
        return True

    async def _slow_body(self, endpoint: Endpoint, request: Request) -> bytes | Answer:
        """The body, or the refusal: it was too large, too slow, or broke off."""
        try:
            seconds = self.config.body_deadline_seconds
            return await read_body(request, endpoint.limit, seconds, self._arriving)
        except BodyTooLarge:
            endpoint.tally.refuse("too_large")
            return self.answers.too_large
        except BodyTooSlow:
            endpoint.tally.refuse("too_slow")
            return self.answers.too_slow
        except BodyBroken:
            endpoint.tally.refuse("broken_off")
            return self.answers.malformed
        except BodiesTooMany:
            return self._later(endpoint.tally, "arriving").closing

    def _turned_away(self, endpoint: Endpoint, request: Request) -> Answer | None:
        """The refusal that needs no look at the body, if there is one."""
        if self.shedding.reason:
            return self._later(endpoint.tally, self.shedding.reason)
        sources = endpoint.sources
        if sources is not None:
            forwarded = request.headers.getall(_FORWARDED, ())
            if not sources.allows(request.peer, forwarded):
                endpoint.tally.refuse("source")
                return self.answers.source_refused
        return None

    def _later(self, tally: Tally, reason: str) -> Answer:
        tally.refuse(reason)
        return self.answers.unavailable

    async def _elsewhere(self, request: Request) -> Answer:
        """Everything that is no POST to a known connection's exact path."""
        path = _plain(request.path)
        if path.startswith(PREFIX):
            return await self._odd_webhook(path, request)
        if path not in ("/healthz", "/readyz", "/metrics"):
            self.strays.refuse("not_found")
            return self.answers.not_found
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            self.strays.refuse("method")
            return self.answers.get_only
        if path == "/healthz":
            return self.answers.alive
        if path == "/readyz":
            ready = await self.readiness.ready()
            return self.answers.ready if ready else self.answers.not_ready
        return await self._metrics()

    async def _odd_webhook(self, path: str, request: Request) -> Answer:
        if request.method != hdrs.METH_POST:
            self.strays.refuse("method")
            return self.answers.post_only
        # A query or a slash too many: pasted so into Customer.io, and meant well.
        endpoint = self._endpoints.get(path.rstrip("/"))
        if endpoint is not None:
            return await self._receive(endpoint, request)
        self.strays.refuse("unknown_connection")
        return self.answers.unknown_connection

    async def _metrics(self) -> Answer:
        """However many ask, one is made at a time: the rest of the time is for webhooks."""
        if self._rendering is None or self._rendering.done():
            self.metrics.flush()
            self._rendering = asyncio.create_task(asyncio.to_thread(self.metrics.render))
        return Answer(200, await asyncio.shield(self._rendering))


def _plain(target: str) -> str:
    """The path that is meant. A target may name the host (RFC 9112, 3.2.2: it must be accepted)."""
    path = target.partition("?")[0]
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return _SLASHES.sub("/", path)


async def _in_time(confirmed: asyncio.Future[str], seconds: float) -> str:
    """What the batch came to, for a request whose body took part of Customer.io's 4 seconds."""
    try:
        return await asyncio.wait_for(asyncio.shield(confirmed), max(seconds, 0.1))
    except TimeoutError:
        return OVERDUE
