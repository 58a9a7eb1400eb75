"""What is known of each connection: its files, both ends as looked at last, and its events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from aiohttp import web

from app.connect.standing import Standing
from app.core.errors import StoreUnavailable
from app.settings import Connection
from app.settings.connections import NAME_PATTERN
from app.store.lanes import Lanes, LaneState
from app.store.pipeline import Flow
from app.web.console.both_ends.wording import Mark, masked, verdict
from app.web.console.both_ends.work import Work
from app.web.console.config import CONSOLE, Console
from app.web.console.freshness import Last
from app.web.console.panels import Panel

_NAME: Final = re.compile(NAME_PATTERN)
_BY_HAND: Final = Mark("", "=", "set up by hand")


class Row(NamedTuple):
    """One connection. `has_setup`, `has_file`: whether there is a setup, a connection file;
    `looking`: a look is under way; `hours`: the newest hours (Unix) in which an event was
    received, and in which one came that was delivered, 0 = none; `tested_ms`: the last test
    counted; `lane`: None without a connection file, and when Redis is away."""

    name: str
    has_setup: bool
    has_file: bool
    ends: Panel[Standing]
    looking: bool
    mark: Mark
    flow: Flow | None
    lane: LaneState | None
    last: Last
    hours: tuple[int, int]
    tested_ms: int
    work: Work | None

    def document(self) -> dict[str, Any]:
        """For JSON, inlets masked."""
        standing = self.ends.data
        ends = masked(orjson.dumps(standing.document()).decode()) if standing else "null"
        return {
            "connection": self.name,
            "has_setup": self.has_setup,
            "has_file": self.has_file,
            "verdict": self.mark.text,
            "fault": self.ends.fault or None,
            "both_ends": orjson.loads(ends),
        }


def name_in(request: web.Request) -> str:
    """The connection that the address names. Raises HTTPNotFound for what cannot be one."""
    name = request.match_info["name"]
    if not _NAME.fullmatch(name):
        raise web.HTTPNotFound(text="There is no such connection.")
    return name


async def setup_in(request: web.Request) -> str:
    """The same, and there is a setup of that name."""
    name, console = name_in(request), request.app[CONSOLE]
    if name not in await asyncio.to_thread(console.both_ends.names):
        raise web.HTTPNotFound(
            text=f"There is no setup {name}: what is set up by hand is changed by hand, in "
            f"config/connections/{name}.yaml."
        )
    return name


async def all_rows(console: Console, files: Mapping[str, Connection]) -> list[Row]:
    """One for each setup and connection file, by name. Begins looks at those with a setup."""
    setups = set(await asyncio.to_thread(console.both_ends.names))
    for name in setups:
        console.both_ends.looks.begin(name)
    return [
        await row_of(console, name, name in setups, name in files)
        for name in sorted(setups | {*files})
    ]


async def row_of(console: Console, name: str, has_setup: bool, has_file: bool) -> Row:
    """One of them; what is remembered of it."""
    live, looks = console.live, console.both_ends.looks
    ends = looks.known(name)
    mark = verdict(ends.data, ends.fault) if has_setup else _BY_HAND
    flows = live.reading.data.flows if live.reading.data else {}
    balance = live.balance.data
    rows = [row for row in balance.rows if row.connection == name] if balance else []
    hours = (
        max((row.hour for row in rows if row.received), default=0),
        max((row.hour for row in rows if row.delivered), default=0),
    )
    return Row(
        name,
        has_setup,
        has_file,
        ends,
        looks.looking(name),
        mark,
        flows.get(name),
        await _lane(console, name, has_file),
        live.freshness.of(name),
        hours,
        balance.last_tests.get(name, 0) if balance else 0,
        console.both_ends.work(name),
    )


async def _lane(console: Console, name: str, has_file: bool) -> LaneState | None:
    """As looked at last; one that never received anything is not looked at, and is asked for."""
    for view in console.live.lanes.data or []:
        if view.connection == name:
            return view.state
    if not has_file:
        return None
    try:
        return await Lanes(console.redis).state(name)
    except StoreUnavailable:
        return None
