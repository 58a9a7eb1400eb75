"""The ledger's lines: Sluice's own rows beside what Platform says of the same hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.core.landing import Hour, Judged
from app.core.moments import hour_text, moment
from app.store.ledger import Balance, Row
from app.store.standing import Told


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: Sluice's own row, and what Platform says of the same hour (or of all).

    `judged` None: nobody looked at Platform.
    """

    row: Row
    platform: Hour
    judged: Judged | None
    looked: bool

    def document(self, hours: bool) -> dict[str, Any]:
        found = {**asdict(self.row), "difference": self.row.difference}
        hour = found.pop("hour")
        return {
            **found,
            "accepted": self.platform.accepted,
            "landed": self.platform.landed if self.looked else None,
            "refused_later": self.platform.failed if self.looked else None,
            "verdict": self.judged.verdict.value if self.judged else None,
            "verdict_events": self.judged.events if self.judged else None,
            **({"hour": hour_text(hour)} if hours else {}),
        }


def totals(balance: Balance, platforms: Mapping[str, Told]) -> Iterator[Line]:
    for row in balance.totals():
        if row.connection in platforms:
            each = platforms[row.connection]
            yield Line(row, _sum(each.standing.hours), each.verdict, each.standing.looked)


def by_hour(balance: Balance, platforms: Mapping[str, Told]) -> Iterator[Line]:
    """Sluice's rows are by hour of receipt, Platform's by hour of acceptance and of the run."""
    rows = {(row.connection, row.hour): row for row in balance.rows}
    for name, each in platforms.items():
        known, judged = each.hours, each.judged
        for hour in sorted({h for n, h in rows if n == name} | known.keys()):
            row = rows.get((name, hour), Row(name, hour))
            said = known.get(hour, Hour(hour))
            yield Line(row, said, judged.get(hour), each.standing.looked)


def _sum(hours: Sequence[Hour]) -> Hour:
    return Hour(
        0,
        sum(hour.accepted for hour in hours),
        sum(hour.landed for hour in hours),
        sum(hour.failed for hour in hours),
    )


def ledger_document(
    balance: Balance, platforms: Mapping[str, Told], lines: Sequence[Line], hours: bool
) -> dict[str, Any]:
    return {
        "rows": [line.document(hours) for line in lines],
        "balanced": not balance.faults,
        "faults": list(balance.faults),
        "last_send_test": {name: moment(ms) for name, ms in balance.last_tests.items()},
        "platform": {name: _platform(each) for name, each in platforms.items()},
    }


def _platform(each: Told) -> dict[str, Any]:
    standing = each.standing
    return {
        "asked": moment(standing.seen_ms) if standing.seen_ms else None,
        "error": standing.error or None,
        "failed_records": {
            "dead_letters": standing.buried,
            "foreign": standing.foreign,
            "nameless": standing.nameless,
            "copies": standing.copies,
            "sent_again": standing.again,
        },
        "alarms": each.alarms,
        "hours": [
            {"hour": hour_text(hour), **said._asdict()}
            for hour, said in sorted(standing.lake.items())
        ],
        "remarks": each.remarks,
    }
