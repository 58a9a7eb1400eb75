"""The oracle: sends webhooks to the receiver, and writes down what it sent and what was answered.

    python -m tests.crash.chaos.oracle FOLDER URL SEED RATE

A process of its own that nobody harms. `FOLDER/oracle.log` is all it knows, a line a fact:

    S time connection kind name    about to be sent for the first time
    A time connection kind name    answered 200

Times are Unix seconds; a name is the event's id, or for a body that is no event its digest. It
obeys the lines of `FOLDER/orders`: `storm CONNECTION` sends one new event a hundred times at once,
`burst CONNECTION` dozens of new events, `finish` ends it when all that it has begun was answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import orjson

from app.sandbox.customerio.sender import Manner, send_all
from app.sandbox.customerio.tally import Tally
from app.sandbox.traffic import Shares, Shot, ShotKind, shots
from tests.e2e.system import INLETS, KEY

# Of all webhooks: most go to `example`.
_PARTS: Final = {"example": 0.55, "raw": 0.2, "guarded": 0.2, "singly": 0.05}
_SHARES: Final = Shares(duplicates=0.03, garbage=0.02, bad_signatures=0.01)
_STORM: Final = 100
_BURST: Final = 40
_LOOK_SECONDS: Final = 0.05
_FOR_EVER: Final = 1e9


def name_of(kind: str, body: bytes) -> str:
    """The event's id; of what is no event, its digest."""
    if kind == ShotKind.GARBAGE:
        return "digest-" + hashlib.sha256(body).hexdigest()[:32]
    return str(orjson.loads(body)["event_id"])


class Log:
    """Appends facts; each is with the kernel when `write` returns."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, fact: str, connection: str, shot: Shot) -> None:
        name = name_of(shot.kind, shot.body)
        self._stream.write(f"{fact} {time.time():.6f} {connection} {shot.kind} {name}\n")
        self._stream.flush()


class Heard(Tally):
    """A tally that writes down what was acknowledged."""

    def __init__(self, log: Log, connection: str) -> None:
        super().__init__()
        self._log, self._connection = log, connection

    def acknowledge(self, shot: Shot, seconds: float) -> None:
        self._log.write("A", self._connection, shot)


class Oracle:
    def __init__(self, folder: Path, url: str, seed: int, rate: float, log: Log) -> None:
        self._orders = folder / "orders"
        self._url, self._seed, self._rate, self._log = url, seed, rate, log
        self._finishing = False
        self._storms = itertools.count(1)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, (connection, part) in enumerate(_PARTS.items()):
                manner = self._manner(connection, self._rate * part)
                stream = self._stream(connection, number)
                group.create_task(send_all(stream, manner, Heard(self._log, connection)))
            await self._obey(group)

    def _manner(self, connection: str, rate: float | None) -> Manner:
        assert connection in INLETS
        return Manner(
            f"{self._url}/webhooks/{connection}",
            KEY.encode(),
            concurrency=_STORM if rate is None else 48,
            rate=rate,
            patience_s=_FOR_EVER,
        )

    def _stream(self, connection: str, number: int) -> Iterator[Shot]:
        """Written down as it is taken, so before any byte of it leaves."""
        clock = lambda: time.time_ns() // 1_000_000  # noqa: E731  # one line of no interest
        for shot in shots(self._seed * 100 + number, None, _SHARES, now_ms=clock):
            if self._finishing:
                return
            self._log.write("S", connection, shot)
            yield shot

    async def _obey(self, group: asyncio.TaskGroup) -> None:
        obeyed = 0
        while not self._finishing:
            orders = self._orders.read_text().splitlines() if self._orders.exists() else []
            for order in orders[obeyed:]:
                match order.split():
                    case ["storm", connection]:
                        group.create_task(self._at_once(connection, 1, _STORM))
                    case ["burst", connection]:
                        group.create_task(self._at_once(connection, _BURST, 1))
                    case ["finish"]:
                        self._finishing = True
            obeyed = len(orders)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _at_once(self, connection: str, events: int, copies: int) -> None:
        """So many new events, and so many copies of each, all under way together."""
        seed = self._seed * 100_000 + next(self._storms)
        fresh = list(shots(seed, events, now_ms=lambda: time.time_ns() // 1_000_000))
        for shot in fresh:
            self._log.write("S", connection, shot)
        everything = itertools.chain.from_iterable(itertools.repeat(x, copies) for x in fresh)
        await send_all(everything, self._manner(connection, None), Heard(self._log, connection))


@dataclass(slots=True)
class Facts:
    """What the oracle's log says of one connection. Name -> times, Unix seconds."""

    sent: dict[str, float]
    acknowledged: dict[str, list[float]]

    @property
    def events(self) -> set[str]:
        """Acknowledged events."""
        return {name for name in self.acknowledged if not name.startswith("digest-")}

    @property
    def garbage(self) -> set[str]:
        """Acknowledged bodies that are no events, by digest."""
        return self.acknowledged.keys() - self.events


def read_log(path: Path) -> dict[str, Facts]:
    """By connection. A webhook with a bad signature counts as sent, never as acknowledged."""
    found = {connection: Facts({}, {}) for connection in INLETS}
    for line in path.read_text().splitlines():
        fact, at, connection, kind, name = line.split()
        facts = found[connection]
        if fact == "S":
            if kind != ShotKind.BAD_SIGNATURE:
                facts.sent.setdefault(name, float(at))
        else:
            assert kind != ShotKind.BAD_SIGNATURE, f"a bad signature was believed: {line}"
            facts.acknowledged.setdefault(name, []).append(float(at))
    return found


def main(words: list[str]) -> None:
    folder, url, seed, rate = Path(words[0]), words[1], int(words[2]), float(words[3])
    with (folder / "oracle.log").open("a") as stream:
        asyncio.run(Oracle(folder, url, seed, rate, Log(stream)).run())


if __name__ == "__main__":
    main(sys.argv[1:])
