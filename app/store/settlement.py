"""How a batch ends: where every event of it went, and how scripts/settle.lua is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter
from app.store import keys

TRACES_PER_HASH: Final = 64


@dataclass(frozen=True, slots=True)
class Successor:
    """A batch that follows a settled one: events to try later, or one half of a split.

    `stems_from`: number of the first batch its events were in, for the order. `waits`: for its
    lane, not for its delay to be over (waiting.py).
    """

    delay_ms: int
    events: int
    frame: bytes
    takes: int = 0
    stems_from: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where every event of a batch went. `run`: the replay run it belongs to, 0 = none."""

    duplicates: int = 0
    tests: int = 0
    delivered: int = 0
    successors: Sequence[Successor] = ()
    letters: Sequence[DeadLetter] = ()
    trace: bytes = b""
    run: int = 0

    @property
    def events(self) -> int:
        later = sum(s.events for s in self.successors)
        return self.duplicates + self.tests + self.delivered + len(self.letters) + later


def settle_keys(batch_id: BatchId, run: int) -> list[str]:
    """KEYS of scripts/settle.lua."""
    name, connection = str(batch_id), batch_id.connection
    return [
        keys.OPEN_SET,
        keys.HELD,
        keys.BATCH_PREFIX + name,
        keys.DONE_PREFIX + name,
        f"{keys.ledger_prefix(connection)}{batch_id.hour}",
        f"{keys.TRACE_PREFIX}{batch_id.number // TRACES_PER_HASH}",
        keys.DEAD,
        keys.DEAD_NUMBER,
        keys.BATCH_NUMBER,
        keys.last_test(connection),
        keys.BACKLOG,
        keys.waiting(connection),
        keys.WAITING,
        keys.stems(connection),
        keys.edge(connection),
        *([keys.replay_run(run)] if run else []),
    ]


def settle_args(owner: str, batch_id: BatchId, settlement: Settlement, trace_ms: int) -> list[Any]:
    """ARGV of scripts/settle.lua, without the dead letters, which follow (DeadWriter)."""
    args: list[Any] = [
        owner,
        str(batch_id),
        keys.BATCH_PREFIX,
        batch_id.connection,
        batch_id.hour,
        settlement.duplicates,
        settlement.tests,
        settlement.delivered,
        len(settlement.letters),
        batch_id.number,
        settlement.trace,
        trace_ms,
        len(settlement.successors),
        len(settlement.letters),
    ]
    for successor in settlement.successors:
        args += [successor.delay_ms, successor.takes, successor.events]
        args += [successor.stems_from, int(successor.waits), successor.frame]
    return args
