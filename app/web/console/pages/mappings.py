"""Mapping sets: which there are, what their rows say, and what a check of them finds."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from app.core.check import Report
from app.core.dataprep.document import rows_in
from app.core.errors import MappingSetInvalid
from app.settings.mapping_reports import Listed, check_document, hints, list_sets
from app.settings.mapping_sets import Found, find
from app.web.console import look
from app.web.console.config import CONSOLE, Console

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")


class Line(NamedTuple):
    """One row as it is written in the file."""

    number: int
    kind: str
    source: str
    destination: str
    description: str


class Looked(NamedTuple):
    """A set, what its check found, and what was taken without being asked for."""

    found: Found
    report: Report
    lines: list[Line]
    told: list[str]


async def page(request: web.Request) -> web.Response:
    """GET /mappings."""
    console = request.app[CONSOLE]
    panel = await console.panels.show("mappings", lambda: _list(console))
    return look.render(request, "mappings.html", {"panel": panel})


async def document(request: web.Request) -> web.Response:
    """GET /api/mappings, the same as `sluice mappings list --json`."""
    return look.json_response([asdict(each) for each in await _list(request.app[CONSOLE])])


async def one_page(request: web.Request) -> web.Response:
    """GET /mappings/{name}."""
    console, name = request.app[CONSOLE], name_in(request)
    panel = await console.panels.show(("mapping", name), lambda: _look(console, name))
    report = panel.data.report if panel.data else None
    context = {"name": name, "panel": panel, "hints": hints(report) if report else []}
    return look.render(request, "mapping.html", context)


async def one_document(request: web.Request) -> web.Response:
    """GET /api/mappings/{name}, the same as `sluice mappings check --json`."""
    looked = await _look(request.app[CONSOLE], name_in(request))
    return look.json_response(check_document(looked.found, looked.report))


def name_in(request: web.Request) -> str:
    """A set in config/mappings, never a path."""
    name = request.match_info["name"]
    if not _NAME.fullmatch(name):
        raise web.HTTPNotFound(text="There is no such mapping set.")
    return name


async def _list(console: Console) -> list[Listed]:
    return await asyncio.to_thread(lambda: list_sets(console.configuration()))


async def _look(console: Console, name: str) -> Looked:
    def read() -> Looked | None:
        known = console.configuration()
        if not (known.folder / "mappings" / f"{name}.json").is_file():
            return None
        told: list[str] = []
        found = find(name, configuration=known, tell=told.append)
        return Looked(found, found.report(), lines_of(found.files.mapping), told)

    looked = await asyncio.to_thread(read)
    if looked is None:
        raise web.HTTPNotFound(text="There is no such mapping set.")
    return looked


def lines_of(content: bytes) -> list[Line]:
    """The rows of a set's file, even of one that does not compile."""
    try:
        rows = rows_in(orjson.loads(content))
    except (orjson.JSONDecodeError, MappingSetInvalid):
        return []
    return [_line(number, row) for number, row in enumerate(rows, 1) if isinstance(row, dict)]


def _line(number: int, row: dict[str, Any]) -> Line:
    def first(*names: str) -> str:
        return str(next((row[name] for name in names if name in row), ""))

    return Line(
        number,
        first("sourceType"),
        first("source", "sourceAttribute"),
        first("destination", "destinationXdmPath"),
        first("description"),
    )
