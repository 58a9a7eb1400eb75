"""`sluice dead-letters search`: one word, looked up wherever it may be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.dead_letters.filters import takes_filters
from app.cli.dead_letters.list_ import table_of
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.cli.spinning import spinner
from app.core.dead_letter import DeadLetterSummary
from app.operations.face import Face
from app.store.dead_letters import Filter

Word = Annotated[str, typer.Argument(help="An event id, a person, a campaign, a cause, a text.")]


@takes_filters(but=("person", "text"))
def search(
    word: Word,
    body: Annotated[
        bool, typer.Option("--body", help="Look into bodies instead, one by one; Ctrl-C stops.")
    ] = False,
    *,
    wanted: Filter,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    most: Annotated[int, typer.Option(min=1, help="Bodies to look into at most.")] = 100_000,
    as_json: Json = False,
) -> None:
    """Look for dead letters by event id, person, campaign, cause or error text; or in bodies."""
    if body:
        found = with_face(lambda face: _bodies(face, wanted, word, limit, most, quiet=as_json))
    else:
        found = with_face(lambda face: face.letters.search(wanted, word, limit))
    if as_json:
        echo_json([asdict(letter) for letter in found])
    else:
        table_of(found)
    if not found:
        typer.echo("nothing found" + ("" if body else "; --body looks into bodies"), err=True)
        raise typer.Exit(1)


async def _bodies(
    face: Face, wanted: Filter, word: str, limit: int, most: int, *, quiet: bool
) -> list[DeadLetterSummary]:
    found: list[DeadLetterSummary] = []
    looked = unread = 0
    more: str | None = None
    with spinner(
        "{task.completed:,} bodies looked into, {task.fields[found]} found", quiet=quiet
    ) as bar:
        task = bar.add_task("", total=None, found=0)
        async for part in face.letters.bodies(wanted, word):
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
