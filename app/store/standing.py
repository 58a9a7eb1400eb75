"""What Platform says of the events it took: for the ledger, in all faces, and for the doctor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.landing import Hour, Judged, Patience, Verdict
from app.core.moments import moment
from app.settings import Connection, Reconcile
from app.store.lake import Lake, Standing
from app.store.scripting import Store

_HOUR_SECONDS = 3600
# Looks that did not come for so many intervals are said.
_INTERVALS_LATE = 3


@dataclass(frozen=True, slots=True)
class Told:
    """One connection. `connection` None: its file is gone, or cannot be read. `now`: Unix
    seconds."""

    name: str
    standing: Standing
    connection: Connection | None
    now: float

    @property
    def judged(self) -> dict[int, Judged]:
        """Per hour of the last 30 days; empty where nobody ever looked."""
        return self.standing.judged(self.now, self._patience)

    @property
    def hours(self) -> dict[int, Hour]:
        return {hour.hour: hour for hour in self.standing.hours}

    @property
    def verdict(self) -> Judged | None:
        """Over all hours that are judged; None where nobody ever looked."""
        if not self.standing.looked:
            return None
        return self.standing.overall(self.now, self._patience)

    @property
    def alarms(self) -> list[str]:
        """What is wrong, in words."""
        found = [
            f"{moment(hour * _HOUR_SECONDS * 1000)}: {said.words}"
            for hour, said in self.judged.items()
            if said.verdict.alarming
        ]
        if count := self.standing.unfound(self._patience):
            found.append(Judged(Verdict.UNFOUND, count).words)
        return found

    @property
    def _patience(self) -> Patience:
        given = self.connection.reconcile if self.connection is not None else Reconcile()
        return Patience(given.late_after_seconds, given.missing_after_seconds)

    @property
    def remarks(self) -> list[str]:
        """What is to be said beside the columns, for people."""
        standing = self.standing
        if not standing.looked:
            return [f"{self.name}: {self._why_not()}"]
        found = []
        if standing.error:
            since = moment(standing.error_since_ms)
            found.append(f"{self.name}: Platform cannot be asked since {since}: {standing.error}")
        elif self._overdue:
            last = moment(standing.seen_ms)
            found.append(f"{self.name}: nobody asked Platform since {last}; is a worker running?")
        for count, text in (
            (standing.foreign, "failed records of the dataset were not sent by Sluice"),
            (standing.nameless, "failed records name no event"),
        ):
            if count:
                found.append(f"{self.name}: {count:,} {text}")
        if differing := self._counted_otherwise():
            text = "hour(s): Platform's counters and its runs say different things, see --json"
            found.append(f"{self.name}: {differing:,} {text}")
        return found

    def _counted_otherwise(self) -> int:
        """Hours that are over for long enough, and of which Platform says two things."""
        due = (self.now - self._patience.late_after) // _HOUR_SECONDS - 1
        judged = self.judged
        return sum(
            said.ingested is not None and said.finished and said.ingested != said.landed
            for hour, said in self.standing.lake.items()
            if hour in judged and hour < due
        )

    @property
    def _overdue(self) -> bool:
        interval = self.connection.reconcile.interval_seconds if self.connection else 900.0
        return self.now - self.standing.seen_ms / 1000 > _INTERVALS_LATE * max(interval, 20.0)

    def _why_not(self) -> str:
        if self.connection is None:
            return "what landed is not known: it has no connection file (any more)"
        if self.connection.platform.credentials is None:
            return "what landed is not known: Platform is asked only with platform.credentials"
        if not self.connection.reconciles:
            return "what landed is not known: reconcile.enabled is false"
        return "Platform was not asked yet what landed; a worker does so"


async def told(
    redis: Store, names: Sequence[str], connections: Mapping[str, Connection]
) -> dict[str, Told]:
    """How those of these names stand. Raises StoreUnavailable."""
    lake = Lake(redis)
    found: dict[str, Told] = {}
    for name in names:
        found[name] = Told(name, await lake.read(name), connections.get(name), time.time())
    return found
