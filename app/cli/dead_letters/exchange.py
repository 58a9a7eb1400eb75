"""`sluice dead-letters export` and `import`: NDJSON, a letter a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from app.cli.dead_letters.filters import takes_filters
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.cli.spinning import spinner
from app.core.dead_letter import DeadLetter
from app.operations.face import Face
from app.store.dead_letters import Filter
from app.store.dead_letters.exchange import Refused, batches_in


@takes_filters()
def export(
    *,
    wanted: Filter,
    output: Annotated[Path | None, typer.Option(help="A file; without it, stdout.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say how many in JSON, on stderr without --output.")
    ] = False,
) -> None:
    """Write dead letters whole, with bodies and personal data, as NDJSON. They stay where they are.

    What dies meanwhile is not among them. Exit 1 when a body could not be read.
    """
    with ExitStack() as stack:
        # A new file is for its owner only: it holds personal data.
        target = stack.enter_context(_private(output)) if output else sys.stdout.buffer
        done, unread = with_face(lambda face: _export(face, wanted, target, quiet=as_json))
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
        taken, there, wrong = with_face(lambda face: _import(face, lines, dry=dry, quiet=as_json))
    if as_json:
        done = "would_import" if dry else "imported"
        echo_json({done: taken, "already_there": there, "refused": wrong})
    else:
        typer.echo(
            f"{'would import' if dry else 'imported'} {taken:,}, {there:,} "
            f"{'are' if dry else 'were'} already there, {wrong:,} refused"
        )
    if wrong:
        raise typer.Exit(1)


async def _export(face: Face, wanted: Filter, target: IO[bytes], *, quiet: bool) -> tuple[int, int]:
    done = unread = 0
    with spinner("exported {task.completed:,}", quiet=quiet) as bar:
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
        for batch in batches_in(self.lines):
            good = [each for each in batch if isinstance(each, DeadLetter)]
            for each in batch:
                if isinstance(each, Refused):
                    typer.echo(f"line {each.line}: {each.why}", err=True)
            self.wrong += len(batch) - len(good)
            self.letters += len(good)
            yield good


async def _import(
    face: Face, lines: Iterable[bytes], *, dry: bool, quiet: bool
) -> tuple[int, int, int]:
    read, taken = _Lines(lines), 0
    doing = "looked at" if dry else "imported"
    with spinner(doing + " {task.completed:,}", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        async for new in face.letters.take_in(read.batches(), dry=dry):
            taken += new
            bar.update(task, completed=taken)
    return taken, read.letters - taken, read.wrong


def _private(path: Path) -> IO[bytes]:
    path.touch(mode=0o600)
    return path.open("wb")
