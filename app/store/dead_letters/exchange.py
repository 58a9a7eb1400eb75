"""Dead letters from elsewhere: put among ours, and into the ledger as received and dead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.core.dead_letter import DeadLetter
from app.store import keys
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import DeadLetters
from app.store.dead_letters.writing import DeadWriter
from app.store.scripting import Script, Store

# As connections are called (app/settings/connections.py).
_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
BATCH: Final = 200


def why_not(letter: DeadLetter) -> str:
    """Why a letter cannot be taken in; "" when it can."""
    if not _NAME.fullmatch(letter.summary.connection):
        return "connection is no name of a connection: a-z, 0-9 and -"
    if not (letter.summary.failure and letter.summary.received_ms and letter.summary.hour):
        return "failure, received_ms and hour are needed"
    if letter.summary.dead_ms < letter.summary.received_ms:
        return "dead_ms is before received_ms"
    return ""


@dataclass(slots=True)
class Intake:
    redis: Store
    _import: Script = field(init=False)
    _writer: DeadWriter = field(init=False)

    def __post_init__(self) -> None:
        self._import = Script(self.redis, "dead_import")
        self._writer = DeadWriter(self.redis)

    async def take(self, letters: Sequence[DeadLetter]) -> list[int]:
        """Adds those that are not there yet; their numbers. Raises StoreUnavailable.

        The same letter, by event id, connection and time of death, is not taken twice; a body
        without an event id cannot be told from another.
        """
        known = DeadLetters(self.redis)
        new = [letter for letter in letters if not await _is_there(known, letter)]
        by_row: dict[tuple[str, int], list[DeadLetter]] = {}
        for letter in new:
            by_row.setdefault((letter.summary.connection, letter.summary.hour), []).append(letter)
        numbers: list[int] = []
        for (connection, hour), row in by_row.items():
            args: list[Any] = [connection, hour, len(row), *await self._writer.args(row)]
            numbers += map(int, await self._import(_keys(connection, hour), args))
        return numbers


def _keys(connection: str, hour: int) -> list[str]:
    row = f"{keys.ledger_prefix(connection)}{hour}"
    return [keys.DEAD, keys.DEAD_NUMBER, row, keys.CONNECTIONS, keys.ledger_hours(connection)]


async def _is_there(known: DeadLetters, letter: DeadLetter) -> bool:
    x = letter.summary
    if not x.event_id:
        return False
    wanted = Filter(connection=x.connection, event_id=x.event_id)
    async for other in known.find(wanted):
        if other.dead_ms == x.dead_ms:
            return True
    return False
