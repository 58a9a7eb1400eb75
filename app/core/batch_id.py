"""The name of an event batch says what the ledger must know of it.

`{connection}:{hour}:{events}:{number}`: so the backlog and the ledger's *in flight* column are
read from the open set alone, without opening a frame.
"""

from __future__ import annotations

from typing import NamedTuple

HOUR_MS = 3_600_000


class BatchId(NamedTuple):
    """`hour`: Unix hours at which the events were received. `number`: unique, ever growing."""

    connection: str
    hour: int
    events: int
    number: int

    def __str__(self) -> str:
        return f"{self.connection}:{self.hour}:{self.events}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> BatchId:
        """Raises ValueError when `text` is no batch id."""
        connection, hour, events, number = text.split(":")
        return cls(connection, int(hour), int(events), int(number))
