"""What a mapping set on disk makes of the events that came lately, before anything is sent.

How records are built is for everybody; what they say is somebody's personal data: masked until an
operator asks, which is written down.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import orjson
from aiohttp import web

from app.core.dataprep import MappingSet
from app.core.errors import ConfigError, EventFault
from app.core.event import parse_event, peek_event
from app.core.json_lines import Line, lines_of
from app.core.masking import masked_json
from app.core.platform.problem import normalise
from app.core.preview import Preview, preview
from app.core.xdm import Schema
from app.settings.mapping_files import check_files
from app.settings.mapping_sets import Configuration, find
from app.store.samples import Sample
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.pages.mappings import name_in
from app.web.console.trail import note

# Newest events that are tried, and of how many the record is shown.
TRIED: Final = 200
SHOWN: Final = 10
_LINES: Final = 300
_SHOWN_WHY: Final = 20


class Event(NamedTuple):
    """One event. `why`: it would not get as far as being mapped; `errors`: (place, what, whether
    it rejects the record)."""

    at_ms: int
    kind: str
    event_id: str
    why: str
    errors: list[tuple[str, str, bool]]
    record: list[Line]

    @property
    def dead(self) -> bool:
        return bool(self.why) or any(rejects for _, _, rejects in self.errors)


class Tried(NamedTuple):
    """`label`: of the set; `faults`: why it cannot be tried; `why`: what is wrong with how many
    events, without a value of any."""

    connection: str
    connections: list[str]
    label: str = ""
    faults: tuple[str, ...] = ()
    tried: int = 0
    dead: int = 0
    incomplete: int = 0
    why: Sequence[tuple[str, int]] = ()
    events: Sequence[Event] = ()


async def page(request: web.Request) -> web.Response:
    """GET /mappings/{name}/preview?connection=: values are masked."""
    return await _page(request, masked=True)


async def values(request: web.Request) -> web.Response:
    """GET /mappings/{name}/preview/values?connection=: the same with its values."""
    return await _page(request, masked=False)


async def _page(request: web.Request, *, masked: bool) -> web.Response:
    console, name = request.app[CONSOLE], name_in(request)
    asked = request.query.get("connection", "")

    async def ask() -> Tried:
        known = await asyncio.to_thread(console.configuration)
        if not masked:
            await note(request, "mappings.preview", name)
        return await _try(console, known, name, asked, masked)

    panel = await console.panels.show(("preview", name, asked), ask, keep=masked)
    context = {"panel": panel, "tried": panel.data, "name": name, "masked": masked}
    by_htmx = request.headers.get("HX-Request") == "true"
    template = "parts/mapping_preview.html" if by_htmx else "mapping_preview.html"
    return look.render(request, template, context)


async def _try(
    console: Console, known: Configuration, name: str, asked: str, masked: bool
) -> Tried:
    if not (known.folder / "mappings" / f"{name}.json").is_file():
        raise web.HTTPNotFound(text="There is no such mapping set.")
    names = list(known.connections)
    users = [user.name for user in known.users(known.set_path(name))]
    connection = asked if asked in names else next(iter(users or names), "")
    if not connection:
        return Tried("", names, faults=known.faults or ("There is no connection.",))
    samples = await console.samples.recent(connection, TRIED)
    began = Tried(connection, names)
    return await asyncio.to_thread(_tried, began, known, name, samples, masked)


def _tried(
    tried: Tried, known: Configuration, name: str, samples: Sequence[Sample], masked: bool
) -> Tried:
    try:
        found = find(name, tried.connection, configuration=known)
    except ConfigError as fault:
        return tried._replace(faults=fault.faults)
    # Whatever its examples say.
    report = check_files(replace(found.files, examples=None), found.variables)
    if report.mapping_set is None:
        return tried._replace(faults=tuple(map(str, report.problems)))
    mapping, why, now = report.mapping_set, Counter[str](), time.time()
    events = [_event(mapping, report.schema, sample, now, masked) for sample in samples]
    for event in events:
        why.update({f"{place}: {normalise(what)}" for place, what, _ in event.errors})
        why.update([event.why] if event.why else [])
    dead = sum(event.dead for event in events)
    return tried._replace(
        label=mapping.label,
        tried=len(events),
        dead=dead,
        incomplete=sum(bool(event.errors) for event in events if not event.dead),
        why=why.most_common(_SHOWN_WHY),
        events=events[:SHOWN],
    )


def _event(
    mapping: MappingSet, schema: Schema | None, sample: Sample, now: float, masked: bool
) -> Event:
    event_id, kind = peek_event(sample.body)
    seen = Event(sample.received_ms, kind, event_id, "", [], [])
    try:
        event = parse_event(sample.body)
    except EventFault as fault:
        return seen._replace(why=f"{fault.stage} {fault.code}")
    found = preview(mapping, schema, event.document, sample.received_ms, now)
    record = orjson.dumps(found.data)
    lines = lines_of(masked_json(record) if masked else record)
    return seen._replace(errors=_errors(found, masked), record=lines[:_LINES])


def _errors(found: Preview, masked: bool) -> list[tuple[str, str, bool]]:
    return [
        (
            error.destination or error.columnName or "the record",
            normalise(error.exception) if masked else error.exception,
            error.severity == "error",
        )
        for error in found.errors or ()
    ]
