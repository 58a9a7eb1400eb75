"""`sluice dead-letters search`: one word, looked up wherever it may be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from app.cli.dead_letters.choosing import (
    Campaign,
    Class,
    Code,
    Connection,
    EventId,
    Fingerprint,
    Kind,
    Mapping,
    Newer,
    Older,
    Run,
    Since,
    Until,
    filter_,
)
from app.cli.dead_letters.list_ import table_of
from app.cli.reading import Json, echo_json, with_store
from app.core.dead_letter import DeadLetterSummary
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Groups
from app.store.dead_letters.searching import search_bodies

_HEX: Final = frozenset("0123456789abcdef")

Word = Annotated[str, typer.Argument(help="An event id, a person, a campaign, a cause, a text.")]


def search(
    word: Word,
    body: Annotated[
        bool, typer.Option("--body", help="Look into bodies instead, one by one; Ctrl-C stops.")
    ] = False,
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    since: Since = None,
    until: Until = None,
    group: Fingerprint = None,
    campaign: Campaign = None,
    run: Run = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    most: Annotated[int, typer.Option(min=1, help="Bodies to look into at most.")] = 100_000,
    as_json: Json = False,
) -> None:
    """Look for dead letters by event id, person, campaign, cause or error text; or in bodies."""
    wanted = filter_(
        connection, failure, kind, code, event_id, mapping, older, newer,
        group=group, campaign=campaign, run=run, since=since, until=until,
    )  # fmt: skip
    if body:
        found = with_store(lambda redis: _bodies(redis, wanted, word, limit, most, quiet=as_json))
    else:
        found = with_store(lambda redis: _indexes(redis, wanted, word, limit))
    if as_json:
        echo_json([asdict(letter) for letter in found])
    else:
        table_of(found)
    if not found:
        typer.echo("nothing found" + ("" if body else "; --body looks into bodies"), err=True)
        raise typer.Exit(1)


async def _indexes(redis: Store, wanted: Filter, word: str, limit: int) -> list[DeadLetterSummary]:
    found: dict[int, DeadLetterSummary] = {}
    async for each in _readings(redis, wanted, word):
        async for letter in DeadLetters(redis).find(each):
            found.setdefault(letter.number, letter)
            if len(found) >= limit:
                return list(found.values())
    return list(found.values())


async def _readings(redis: Store, wanted: Filter, word: str) -> AsyncIterator[Filter]:
    """What the word may mean, the narrowest first, beside what the options say already."""
    if wanted.event_id is None:
        yield replace(wanted, event_id=word)
    yield replace(wanted, person=word)
    if wanted.campaign is None:
        yield replace(wanted, campaign=word)
    if wanted.fingerprint is None and len(word) >= 4 and _HEX.issuperset(word.lower()):
        for mark in await Groups(redis).resolve_prefix(word.lower()):
            yield replace(wanted, fingerprint=mark)
    yield replace(wanted, text=word)


async def _bodies(
    redis: Store, wanted: Filter, word: str, limit: int, most: int, *, quiet: bool
) -> list[DeadLetterSummary]:
    found: list[DeadLetterSummary] = []
    looked = unread = 0
    more: str | None = None
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} bodies looked into, {task.fields[found]} found"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None, found=0)
        async for part in search_bodies(DeadLetters(redis), wanted, word):
            found += part.found
            looked, unread, more = looked + part.looked, unread + part.unread, part.cursor
            bar.update(task, completed=looked, found=len(found))
            if len(found) >= limit or looked >= most:
                break
    if more is not None and len(found) < limit:
        typer.echo(f"stopped after {looked:,} bodies; --most looks into more", err=True)
    if unread:
        typer.echo(f"{unread} could not be read: see `sluice dead-letters fsck`", err=True)
    return found[:limit]
