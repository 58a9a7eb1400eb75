"""How many connections there may be, and which one goes when there are too many.

A connection is a stranger's until it has brought a webhook with a valid signature. Whoever wants
can open thousands and keep them, and then Customer.io could not connect any more: so the oldest
stranger makes room for the newest. A connection that brought a valid webhook is never cut.
"""

from __future__ import annotations

import resource
from itertools import islice
from typing import Final, Protocol

# Of the oldest, so many are asked whether they are idle.
_ASKED: Final = 64
# For Redis, the log, metrics files, and what else a process opens.
_RESERVED_DESCRIPTORS: Final = 128
_MOST_DESCRIPTORS: Final = 65_536


class Client(Protocol):
    """A connection, as far as it matters here."""

    @property
    def busy(self) -> bool:
        """Whether it has a request that is not answered yet."""

    def force_close(self) -> None: ...


class Strangers:
    """Those of a server, oldest first. `limit`: of all its connections."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._clients: dict[Client, None] = {}

    def came(self, client: Client, connections: int) -> bool:
        """One more, the `connections`th in all; whether another was cut for it."""
        self._clients[client] = None
        if connections <= self.limit or len(self._clients) < 2:
            return False
        self._cut_oldest()
        return True

    def forget(self, client: Client) -> None:
        """It is trusted now, or gone."""
        self._clients.pop(client, None)

    def _cut_oldest(self) -> None:
        oldest = list(islice(self._clients, min(_ASKED, len(self._clients) - 1)))
        chosen = next((client for client in oldest if not client.busy), oldest[0])
        del self._clients[chosen]
        chosen.force_close()


def most_connections(wanted: int) -> int:
    """So many of `wanted` as the system's limit of open files allows, once it is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return min(wanted, max(soft, most) - _RESERVED_DESCRIPTORS)
