"""`sluice dead-letters export` and `import`: NDJSON, a letter a line."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from app.cli.acting import operator
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
    Person,
    Text,
    filter_,
)
from app.cli.reading import Json, echo_json, with_store
from app.core.dead_letter import DeadLetter, decode_line, encode_line
from app.core.errors import UnreadableFrame
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.exchange import BATCH, Intake, why_not


def export(
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    group: Fingerprint = None,
    campaign: Campaign = None,
    person: Person = None,
    text: Text = None,
    output: Annotated[Path | None, typer.Option(help="A file; without it, stdout.")] = None,
) -> None:
    """Write dead letters whole, with bodies and personal data, as NDJSON. They stay where they are.

    What dies meanwhile is not among them. Exit 1 when a body could not be read.
    """
    wanted = filter_(
        connection, failure, kind, code, event_id, mapping, older, newer,
        group=group, campaign=campaign, person=person, text=text,
    )  # fmt: skip
    with ExitStack() as stack:
        # A new file is for its owner only: it holds personal data.
        target = stack.enter_context(_private(output)) if output else sys.stdout.buffer
        done, unread = with_store(lambda redis: _export(redis, wanted, target))
    typer.echo(f"exported {done:,}", err=True)
    if unread:
        typer.echo(f"{unread:,} could not be read: see `sluice dead-letters fsck`", err=True)
        raise typer.Exit(1)


def import_(
    file: Annotated[Path, typer.Argument(help="NDJSON that `export` wrote; - is stdin.")],
    as_json: Json = False,
) -> None:
    """Take in dead letters that `export` wrote, here or elsewhere, under new numbers.

    The ledger books them as received and dead. What is there already is left out. Exit 1 when a
    line could not be taken.
    """
    with ExitStack() as stack:
        lines = sys.stdin.buffer if str(file) == "-" else stack.enter_context(file.open("rb"))
        taken, there, wrong = with_store(lambda redis: _import(redis, lines, quiet=as_json))
    if as_json:
        echo_json({"imported": taken, "already_there": there, "refused": wrong})
    else:
        typer.echo(f"imported {taken:,}, {there:,} were already there, {wrong:,} refused")
    if wrong:
        raise typer.Exit(1)


async def _export(redis: Store, wanted: Filter, target: IO[bytes]) -> tuple[int, int]:
    letters, done, unread = DeadLetters(redis), 0, 0
    with _bar("exported", quiet=False) as bar:
        task = bar.add_task("", total=None)
        async for numbers in _pages(letters, wanted):
            whole = await letters.get(numbers)
            unread += len(numbers) - len(whole)
            done += len(whole)
            target.writelines(encode_line(letter) for letter in whole)
            bar.update(task, completed=done)
    target.flush()
    if done:
        await Audit(redis).record(operator(), "dead-letters.exported", letters=done)
    return done, unread


async def _pages(letters: DeadLetters, wanted: Filter) -> AsyncIterator[list[int]]:
    last, cursor = await letters.last_number(), ""
    more: str | None = cursor
    while more is not None:
        numbers, more = await letters.numbers(wanted, last, more, BATCH)
        yield numbers


async def _import(redis: Store, lines: Iterable[bytes], *, quiet: bool) -> tuple[int, int, int]:
    intake = Intake(redis)
    taken = there = wrong = 0
    batch: list[DeadLetter] = []

    async def put() -> None:
        nonlocal taken, there
        numbers = await intake.take(batch)
        taken, there = taken + len(numbers), there + len(batch) - len(numbers)
        batch.clear()

    with _bar("imported", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        for at, line in enumerate(lines, 1):
            try:
                letter = decode_line(line)
                if fault := why_not(letter):
                    raise UnreadableFrame(fault)
            except UnreadableFrame as fault:
                wrong += 1
                typer.echo(f"line {at}: {fault}", err=True)
                continue
            batch.append(letter)
            if len(batch) == BATCH:
                await put()
                bar.update(task, completed=taken)
        await put()
    if taken:
        await Audit(redis).record(operator(), "dead-letters.imported", letters=taken)
    return taken, there, wrong


def _private(path: Path) -> IO[bytes]:
    path.touch(mode=0o600)
    return path.open("wb")


def _bar(what: str, *, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn(what + " {task.completed:,}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
