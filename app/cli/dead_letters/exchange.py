"""`sluice dead-letters export` and `import`: NDJSON, a letter a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

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
    Person,
    Text,
    filter_,
)
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.core.dead_letter import DeadLetter, decode_line
from app.core.errors import UnreadableFrame
from app.operations.face import Face
from app.store.dead_letters import Filter
from app.store.dead_letters.exchange import BATCH, why_not


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
        done, unread = with_face(lambda face: _export(face, wanted, target))
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
        taken, there, wrong = with_face(lambda face: _import(face, lines, quiet=as_json))
    if as_json:
        echo_json({"imported": taken, "already_there": there, "refused": wrong})
    else:
        typer.echo(f"imported {taken:,}, {there:,} were already there, {wrong:,} refused")
    if wrong:
        raise typer.Exit(1)


async def _export(face: Face, wanted: Filter, target: IO[bytes]) -> tuple[int, int]:
    done = unread = 0
    with _bar("exported", quiet=False) as bar:
        task = bar.add_task("", total=None)
        async for part in face.letters.export(wanted):
            unread += part.unread
            done += len(part.lines)
            target.writelines(part.lines)
            bar.update(task, completed=done)
    target.flush()
    return done, unread


@dataclass(slots=True)
class _Lines:
    """An export, read a batch at a time; lines that are none are told, and counted as `wrong`."""

    lines: Iterable[bytes]
    letters: int = 0
    wrong: int = 0

    def batches(self) -> Iterator[list[DeadLetter]]:
        batch: list[DeadLetter] = []
        for at, line in enumerate(self.lines, 1):
            try:
                letter = decode_line(line)
                if fault := why_not(letter):
                    raise UnreadableFrame(fault)
            except UnreadableFrame as fault:
                self.wrong += 1
                typer.echo(f"line {at}: {fault}", err=True)
                continue
            batch.append(letter)
            if len(batch) == BATCH:
                self.letters += len(batch)
                yield batch
                batch = []
        if batch:
            self.letters += len(batch)
            yield batch


async def _import(face: Face, lines: Iterable[bytes], *, quiet: bool) -> tuple[int, int, int]:
    read, taken = _Lines(lines), 0
    with _bar("imported", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        async for new in face.letters.take_in(read.batches()):
            taken += new
            bar.update(task, completed=taken)
    return taken, read.letters - taken, read.wrong


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
