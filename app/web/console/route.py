"""One address of the console, and who may call it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from app.store.users import Role

# A form of ours has a few hundred bytes; that of an event's body has the event.
FORM_BYTES: Final = 65_536

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """`wants`: the least role; None = everybody, without a log-in. Addresses below /api/ take
    tokens and answer in JSON, all others take sessions. `form_bytes`: how large a form may be."""

    method: str
    path: str
    wants: Role | None
    handler: Handler
    form_bytes: int = FORM_BYTES

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")
