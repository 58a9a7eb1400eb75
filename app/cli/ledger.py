"""`sluice ledger`: where every event is, and whether it all adds up, as far as Platform's lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer

from app.cli.reading import Json, echo_json, echo_table, moment, with_store
from app.cli.standing import Told, told
from app.core.landing import Hour, Judged
from app.core.moments import hour_text
from app.store.connect import Store
from app.store.ledger import COLUMNS, Balance, Ledger, Row

_COLUMNS: Final = (*COLUMNS, "in_flight")
# What was received is what was acknowledged: the first of the three columns that must meet.
_TITLES: Final = {"received": "acknowledged"}


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

    def cells(self, hours: bool) -> list[str]:
        lake = (self.platform.landed, self.platform.failed)
        return [
            self.row.connection,
            *([hour_text(self.row.hour)] if hours else []),
            *(f"{getattr(self.row, name):,}" for name in _COLUMNS),
            f"{self.platform.accepted:,}",
            *(f"{count:,}" if self.looked else "-" for count in lake),
            self.judged.words if self.judged else "-",
        ]


def ledger(
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 when it does not add up, or events did not land."),
    ] = False,
    hours: Annotated[bool, typer.Option("--hours", help="A row per hour.")] = False,
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    as_json: Json = False,
) -> None:
    """Where every event is. What was acknowledged must equal the sum of the columns up to in
    flight; what Platform's edge accepted must land in its lake or be refused later."""
    balance, platforms = with_store(_read)
    chosen = {n: each for n, each in platforms.items() if connection in (None, n)}
    lines = list(_byhour_text(balance, chosen) if hours else _totals(balance, chosen))
    if as_json:
        echo_json(_document(balance, chosen, lines, hours))
    else:
        _show(balance, chosen, lines, hours)
    if check and (balance.faults or any(each.alarms for each in chosen.values())):
        raise typer.Exit(1)


async def _read(redis: Store) -> tuple[Balance, dict[str, Told]]:
    balance = await Ledger(redis).read()
    return balance, await told(redis, [row.connection for row in balance.totals()])


def _totals(balance: Balance, platforms: Mapping[str, Told]) -> Iterator[Line]:
    for row in balance.totals():
        if row.connection in platforms:
            each = platforms[row.connection]
            yield Line(row, _sum(each.standing.hours), each.verdict, each.standing.looked)


def _byhour_text(balance: Balance, platforms: Mapping[str, Told]) -> Iterator[Line]:
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


def _document(
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


def _show(
    balance: Balance, platforms: Mapping[str, Told], lines: Sequence[Line], hours: bool
) -> None:
    columns = ["connection", *(["hour (UTC)"] if hours else [])]
    columns += [">" + _TITLES.get(name, name).replace("_", " ") for name in _COLUMNS]
    columns += [">accepted by the edge", ">landed in the lake", ">refused later", "verdict"]
    echo_table(columns, (line.cells(hours) for line in lines))
    for name, ms in balance.last_tests.items():
        typer.echo(f"last Send Test of {name}: {moment(ms)} UTC")
    for each in platforms.values():
        for remark in each.remarks:
            typer.echo(remark)
    for fault in balance.faults:
        typer.echo(f"DOES NOT ADD UP: {fault}", err=True)
    for each in platforms.values():
        for alarm in each.alarms:
            typer.echo(f"DID NOT LAND: {each.name}: {alarm}", err=True)
    if not balance.faults:
        typer.echo("adds up" if lines else "nothing was received yet")
