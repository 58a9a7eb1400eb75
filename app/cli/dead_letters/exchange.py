"""`sluice dead-letters export` and `import`: NDJSON, a letter a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated

import orjson
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
    Run,
    Since,
    Text,
    Until,
    filter_,
)
from app.cli.reading import Json, echo_json, with_store
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.exchange import Intake, Taken, take_in
from app.store.dead_letters.exchange import export as exported


def export(
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
    person: Person = None,
    text: Text = None,
    run: Run = None,
    output: Annotated[Path | None, typer.Option(help="A file; without it, stdout.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say how many in JSON, on stderr without --output.")
    ] = False,
) -> None:
    """Write dead letters whole, with bodies and personal data, as NDJSON. They stay where they are.

    What dies meanwhile is not among them. Exit 1 when a body could not be read.
    """
    wanted = filter_(
        connection, failure, kind, code, event_id, mapping, older, newer,
        group=group, campaign=campaign, person=person, text=text, run=run,
        since=since, until=until,
    )  # fmt: skip
    with ExitStack() as stack:
        # A new file is for its owner only: it holds personal data.
        target = stack.enter_context(_private(output)) if output else sys.stdout.buffer
        done, unread = with_store(lambda redis: _export(redis, wanted, target, quiet=as_json))
    if as_json:
        told = orjson.dumps({"exported": done, "unread": unread}).decode()
        typer.echo(told, err=output is None)
    else:
        typer.echo(f"exported {done:,}", err=True)
    if unread:
        typer.echo(f"{unread:,} could not be read: see `sluice dead-letters fsck`", err=True)
        raise typer.Exit(1)


def import_(
    file: Annotated[Path, typer.Argument(help="NDJSON that `export` wrote; - is stdin.")],
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Take nothing in; tell what would be.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in dead letters that `export` wrote, here or elsewhere, under new numbers.

    The ledger books them as received and dead; edits come with them. What is there already is left
    out. Exit 1 when a line could not be taken.
    """
    with ExitStack() as stack:
        lines = sys.stdin.buffer if str(file) == "-" else stack.enter_context(file.open("rb"))
        taken = with_store(lambda redis: _import(redis, lines, dry=dry, quiet=as_json))
    if as_json:
        done = "would_import" if dry else "imported"
        echo_json({done: taken.letters, "already_there": taken.there, "refused": taken.refused})
    else:
        typer.echo(
            f"{'would import' if dry else 'imported'} {taken.letters:,}, {taken.there:,} "
            f"{'are' if dry else 'were'} already there, {taken.refused:,} refused"
        )
    if taken.refused:
        raise typer.Exit(1)


async def _export(
    redis: Store, wanted: Filter, target: IO[bytes], *, quiet: bool
) -> tuple[int, int]:
    letters, done, unread = DeadLetters(redis), 0, 0
    with _bar("exported", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        async for part in exported(letters, wanted, await letters.last_number()):
            target.write(part.lines)
            done, unread = done + part.letters, unread + len(part.unread)
            bar.update(task, completed=done)
    target.flush()
    if done:
        await Audit(redis).record(operator(), "dead-letters.exported", letters=done)
    return done, unread


async def _import(redis: Store, lines: Iterable[bytes], *, dry: bool, quiet: bool) -> Taken:
    with _bar("looked at" if dry else "imported", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        taken = await take_in(
            Intake(redis),
            lines,
            dry=dry,
            refused=lambda each: typer.echo(f"line {each.line}: {each.why}", err=True),
            told=lambda so_far: bar.update(task, completed=so_far.letters),
        )
    if taken.letters and not dry:
        await Audit(redis).record(operator(), "dead-letters.imported", letters=taken.letters)
    return taken


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
