"""Which dead letters a command means: by number, by filters, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.facing import with_face
from app.cli.reading import echo_json
from app.core.dead_letter import DeadLetterSummary
from app.operations.face import Face
from app.store.dead_letters import Filter

# Letters asked for at a time, of all that are meant.
_PAGE: Final = 1_000

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")]
All = Annotated[bool, typer.Option("--all", help="Everything that the filters let through.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


async def find(face: Face, wanted: Filter) -> list[DeadLetterSummary]:
    """All of them, newest first."""
    found, more = list[DeadLetterSummary](), ""
    while True:
        part, cursor = await face.letters.page(wanted, more, _PAGE)
        found += part
        if cursor is None:
            return found
        more = cursor


def chosen(numbers: list[int] | None, everything: bool, wanted: Filter) -> list[DeadLetterSummary]:
    """The letters meant by numbers, or by filters. Raises typer.BadParameter when neither is."""
    if numbers:
        if everything or wanted != Filter():
            raise typer.BadParameter("give either numbers or filters, not both")
        letters = with_face(lambda face: face.letters.some(numbers))
        missing = sorted(set(numbers) - {letter.number for letter in letters})
        if missing:
            some = ", ".join(map(str, islice(missing, 10)))
            typer.echo(f"there is no dead letter {some}", err=True)
            raise typer.Exit(1)
        return letters
    if not everything and wanted == Filter():
        raise typer.BadParameter("say which: numbers, filters, or --all")
    return with_face(lambda face: find(face, wanted))


def confirm(question: str, sure: bool) -> None:
    """Asks, and ends the command when the answer is no."""
    if not sure:
        typer.confirm(question, abort=True)


@contextmanager
def progress(what: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar for acts on many, at a terminal; what it gives is told how many are done."""
    console = Console(stderr=True)
    silent = quiet or total <= _PAGE or not console.is_terminal
    with Progress(console=console, transient=True, disable=silent) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def report(done: str, found: int, wanted: int, as_json: bool) -> None:
    """What was done, in both faces."""
    if as_json:
        echo_json({done: found, "chosen": wanted})
    else:
        typer.echo(f"{done} {found} of {wanted}")
